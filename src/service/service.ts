/** What a service is to the cloud. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Place, ServiceDefinition } from '#kit/action'
import type { Driver } from '#loop/loop'
import type { Event, Reader } from '#store/store'

type Head = { method: string; path: string; query: string; headers: IncomingHttpHeaders }
type Page = { status: number; contentType: string; headers?: Record<string, string>; body: string | Uint8Array | AsyncIterable<Uint8Array> }
/** What a service tells browsers beside its API; asked before anybody is authenticated. */
export type Front = {
  /** `call` runs an operation of the service as nobody. */
  page(head: Head, call: (operation: string, input: object) => Promise<object>): Promise<Page | undefined>
  headers(head: Head): Promise<Record<string, string>>
}

/** A resource as the tagging API knows it. */
export type Tagged = { arn: string; tags: Record<string, string> }

export type Service = {
  definition: ServiceDefinition
  /** The module of the SDK's whose schemas the wire reads. */
  sdk: object
  drivers: Driver<any, any>[]
  wakes?(event: Event): Promise<{ kind: string; id: string }[]>
  /** Puts right what no record wakes: what is on the host and nobody's. */
  sweep?(): Promise<void>
  /** Every resource of a place that can have tags. */
  tagged?(reader: Reader, place: Place): Promise<Tagged[]>
  /** Given how a request names its bucket, which the wire knows. */
  front?(bucketOf: (head: Head) => string | undefined): Front
  /** Told after each change of what it keeps outside of the store: of which kinds. Returns what ends it. */
  watch?(callback: (kinds: string[]) => void): () => void
  /** Begins what it does by the clock. */
  start?(): void
  /** Lets go of what it holds open. */
  close?(): Promise<void>
}
