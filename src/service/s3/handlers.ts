/** How S3's actions are written: functions outside of the store's transaction, which S3 has in tables of its own. */
import type { Work } from '#kit/action'
import type { Input, Name, Output } from '#kit/schema'

type Asked<I> = Parameters<Work<I, unknown>['work']>[0]
export type Handlers<M> = { [N in Name<M>]?: (call: Asked<Input<M, N>>) => Promise<Output<M, N>> }
