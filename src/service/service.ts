/** What a service is to the cloud. */
import type { ServiceDefinition } from '#kit/action'
import type { Driver } from '#loop/loop'
import type { Event } from '#store/store'

export type Service = {
  definition: ServiceDefinition
  /** The module of the SDK's whose schemas the wire reads. */
  sdk: object
  drivers: Driver<any, any>[]
  wakes?(event: Event): Promise<{ kind: string; id: string }[]>
  /** Puts right what no record wakes: what is on the host and nobody's. */
  sweep?(): Promise<void>
}
