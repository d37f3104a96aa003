/** What the EC2 service is given to work with besides a call. */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { Capacity, Engine, ImageSeen } from '#engine/port'
import type { Loop } from '#loop/loop'
import type { Identity } from '#identity/identity'
import type { Place } from '#kit/action'
import type { Store, Tx } from '#store/store'

export type ObjectPlace = { account: string; region: string; bucket: string; key: string }
export type Objects = {
  /** In bytes; undefined where there is no such object that the account may read. */
  size(place: ObjectPlace): Promise<number | undefined>
  read(place: ObjectPlace): AsyncIterable<Uint8Array>
  /** Visible when all of it has come, else not at all. */
  write(place: ObjectPlace & { tags?: Record<string, string> }, body: AsyncIterable<Uint8Array>): Promise<void>
}

/** One value of a metric of AWS's own, of the piece of time that begins then. */
export type Measured = Place & {
  namespace: string; metric: string; dimension: { name: string; value: string }; unit: 'Percent' | 'Bytes' | 'Count'; value: number
  /** Seconds since 1970. */
  time: number
}

export type Context = {
  store: Store
  identity: Identity
  engine: Engine
  home: Home
  log: Log
  clock: () => Date
  /** Known only once the drivers, which are given this context, are there. */
  loop(): Loop
  /** The host's size, the room on its disks and the images on it, as last seen: a request must not wait for the engine. */
  capacity(): Capacity & { diskFreeGiB: number }
  images(): ImageSeen[]
  /** Puts an object into an account's bucket by S3's front door; absent where S3 is not served. */
  deliver?(object: { account: string; region: string; bucket: string; key: string; body: Buffer }): Promise<void>
  /** Objects of an account's buckets, by the same door; absent where S3 is not served. */
  objects?: Objects
  /** Hands measured values to whoever keeps them. */
  measure(values: readonly Measured[]): void
  /** How often each instance asked the metadata service without a token, since this process serves it; absent where it serves none. */
  tally: { withoutToken?: Map<string, number> }
  /** The value of a parameter of Systems Manager's, and its ARN; undefined where there is none. */
  parameter(tx: Tx, place: Place, name: string): Promise<{ arn: string; value: string } | undefined>
}

/** The letters of each region's Availability Zones. */
export const ZONES = ['a', 'b', 'c'] as const
export const zonesOf = (region: string): string[] => ZONES.map(letter => region + letter)
