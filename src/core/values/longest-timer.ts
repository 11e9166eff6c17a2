/** Milliseconds: a timer takes no more, and one that is longer goes off at once. */
export const longestTimer = 2 ** 31 - 1;
