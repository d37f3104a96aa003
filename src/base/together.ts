/**
 * Work side by side. Invariant: when it returns or throws nothing of it runs any more, so that whoever tries again meets nobody.
 */
export async function together(...works: Promise<void>[]): Promise<void> {
  await Promise.allSettled(works)
  await Promise.all(works)
}
