/** What the EC2 service is given to work with besides a call. */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { Capacity, Engine, ImageSeen } from '#engine/port'
import type { Loop } from '#loop/loop'
import type { Identity } from '#identity/identity'
import type { Place } from '#kit/action'
import type { Store, Tx } from '#store/store'

export type Context = {
  store: Store
  identity: Identity
  engine: Engine
  home: Home
  log: Log
  clock: () => Date
  /** Known only once the drivers, which are given this context, are there. */
  loop(): Loop
  /** The host's size and the images on it, as last seen: a request must not wait for the engine. */
  capacity(): Capacity
  images(): ImageSeen[]
  /** Puts an object into an account's bucket by S3's front door; absent where S3 is not served. */
  deliver?(object: { account: string; region: string; bucket: string; key: string; body: Buffer }): Promise<void>
  /** The value of a parameter of Systems Manager's, and its ARN; undefined where there is none. */
  parameter(tx: Tx, place: Place, name: string): Promise<{ arn: string; value: string } | undefined>
}

/** The letters of each region's Availability Zones. */
export const ZONES = ['a', 'b', 'c'] as const
export const zonesOf = (region: string): string[] => ZONES.map(letter => region + letter)
