/** Makes an id of the kind that is asked for, as validated params and rows of the database have it. */
export const id = <Of extends number>(value: number): Of => value as Of;
