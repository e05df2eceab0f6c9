import { AppError } from "#lib";

/** An image update that a person has to help along; trying again would not. */
export class PromotionError extends AppError<
  "promotion/no-kustomization" | "promotion/unreadable-kustomization" | "promotion/unwritable-branch"
> {}
