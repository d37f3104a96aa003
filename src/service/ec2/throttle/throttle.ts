/**
 * Throttling as EC2 does it: a bucket of request tokens for each account, Region and action, and one of resource tokens for some.
 *
 * Invariant: what is refused here has changed nothing, and the same request succeeds later: no request asks for more than a bucket holds.
 * What AWS does not tell is decided in decision 0070.
 */
import { openBuckets, type Rate } from '#base/buckets'
import type { Clock } from '#base/clock'
import type { Asked, Pace } from '#kit/action'
import { requestLimitExceeded } from '#service/ec2/errors'
import { CATEGORIES, RESOURCE_INTENSIVE, RESOURCES, UNCATEGORIZED, UNFILTERED } from '#service/ec2/throttle/data/rates'

/** Some hundred actions in each of some ten Regions, for a few accounts. */
const BUCKETS = 20_000

const READS = /^(Describe|List|Search|Get)/

type Listing = { Filters?: unknown[]; MaxResults?: number; NextToken?: string }
const everything = ({ Filters = [], MaxResults, NextToken }: Listing): boolean =>
  Filters.length === 0 && MaxResults === undefined && NextToken === undefined

/** Which of an action's buckets a request takes from, and what that one holds. */
export function bucketOf({ operation, input, caller }: Asked): { name: string; rate: Rate } {
  const own = UNCATEGORIZED.get(operation)
  if (own) return { name: operation, rate: own }
  if (!READS.test(operation)) {
    return { name: operation, rate: RESOURCE_INTENSIVE.has(operation) ? CATEGORIES.resourceIntensive : CATEGORIES.mutating }
  }
  if (UNFILTERED.has(operation) && everything(input as Listing)) return { name: `${operation}/unfiltered`, rate: CATEGORIES.unfiltered }
  if (caller.principal.session?.kind === 'console') return { name: `${operation}/console`, rate: CATEGORIES.consoleNonMutating }
  return { name: operation, rate: CATEGORIES.nonMutating }
}

/** How many instances a request is about: at least one, and no more than can ever be had. */
function countOf(input: object, { size }: Rate): number {
  const { InstanceIds, MaxCount } = input as { InstanceIds?: string[]; MaxCount?: number }
  return Math.min(size, Math.max(1, InstanceIds ? new Set(InstanceIds).size : MaxCount ?? 1))
}

export function throttle(clock: Clock): Pace {
  const buckets = openBuckets(clock, BUCKETS)
  const take = ({ principal, region }: Asked['caller'], { name, rate, tokens }: { name: string; rate: Rate; tokens?: number }): void => {
    if (!buckets.take(`${principal.account}/${region}/${name}`, rate, tokens)) throw requestLimitExceeded()
  }
  return {
    request: call => take(call.caller, bucketOf(call)),
    resources({ operation, input, caller }) {
      const rate = RESOURCES.get(operation)
      if (rate) take(caller, { name: `${operation}/resources`, rate, tokens: countOf(input, rate) })
    },
  }
}
