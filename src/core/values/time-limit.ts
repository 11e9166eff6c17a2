/**
 * What a promise comes to, or what `late` gives or throws when that takes longer. What becomes of the promise later is nobody's
 * business.
 */
export async function withTimeLimit<T, L>(
  milliseconds: number,
  promise: Promise<T>,
  late: () => L,
): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  }).then(late);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
