/**
 * A request's body that is handed to an action as it comes, for the operations whose bodies are larger than memory.
 *
 * Invariant: iterating it to its end proves it: length, signature and trailers are checked before the last step returns.
 * Whoever keeps what came must not show it before the iteration has ended well.
 */
export type Payload = AsyncIterable<Buffer> & {
  /** How many bytes will come, where the request says so. */
  length: number | undefined
  /** A checksum's header that comes after the body, by its lower-case name. */
  trailer: string | undefined
  /** What came after the body; filled when the iteration has ended. */
  trailers: Record<string, string>
}
