import { Observable } from "./observable.ts";

/** Whether the server refused us for want of a session; then the whole console is the page that says how to get one. */
export const signedOut = new Observable(false);
