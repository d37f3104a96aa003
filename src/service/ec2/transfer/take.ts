/**
 * A stream of bytes, taken in the sizes that its reader asks for.
 *
 * Invariant: what is taken is as long as was asked, or it is an error; no more than that, and one piece of the stream, is held.
 */
/** `may: 'end'`: at the very end of the stream nothing is given, rather than an error. */
export type Take = (size: number, may?: 'end') => Promise<Buffer>

export function taker(bytes: AsyncIterable<Uint8Array>): Take {
  const pieces = bytes[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  return async (size, may) => {
    const parts: Uint8Array[] = [held]
    let have = held.length
    while (have < size) {
      const { value, done } = await pieces.next()
      if (done && have === 0 && may === 'end') return held
      if (done) throw new Error('the object ends too early')
      parts.push(value)
      have += value.length
    }
    const all = parts.length === 1 ? held : Buffer.concat(parts)
    held = all.subarray(size)
    return all.subarray(0, size)
  }
}
