// Tools of the type tests. They are compiled, never run: an error of the compiler is a failed test.

/** True where two types are the same, not merely assignable to each other. */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where `T` is true. */
export declare function holds<T extends true>(): T;

/** A value of a type. */
export declare function some<T>(): T;
