/** The command line is a program, not a library: nothing imports this room. */
export {};
