/** Data Lifecycle Manager: policies that take snapshots at their times, and delete those that are too many or too old. */
import type * as Sdk from '@aws-sdk/client-dlm'
import { resourceId } from '#base/id'
import type { Actions, Call, Place, ServiceDefinition } from '#kit/action'
import { ApiError } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { readTags, type Tags } from '#kit/tags'
import type { Driver } from '#loop/loop'
import { plan } from '#service/dlm/plan'
import { policy, type PolicyRow } from '#service/dlm/policy'
import { invalid, readDetails } from '#service/dlm/read'
import type { Tx } from '#store/store'

export const sdk = await loadSdk('dlm')

/** What this service may do in EC2. */
export type Lifecycle = {
  take(tx: Tx, asked: Place & {
    now: Date; of: 'VOLUME' | 'INSTANCE'; targets: Tags; description: string; tags: Tags; copyTags: boolean
  }): Promise<number>
  expire(tx: Tx, asked: Place & { now: Date; tags: Tags; keep?: number; olderMs?: number }): Promise<void>
}

/** AWS's own tags on what a schedule makes (EBS User Guide, "Data Lifecycle Manager": tags). */
const markOf = (id: string, name: string): Tags => ({ 'aws:dlm:lifecycle-policy-id': id, 'aws:dlm:lifecycle-schedule-name': name })

export function policyDriver({ clock, lifecycle }: { clock(): Date; lifecycle: Lifecycle }): Driver<PolicyRow, object> {
  return {
    kind: policy.kind,
    observe: async () => ({}),
    plan,
    acts: {},
    writes: {
      async run(tx, row, { name, time }: { name?: string; time?: string }) {
        const { id, account, region, spec: { of, targets, schedules }, status } = row
        const schedule = schedules.find(one => one.name === name)!
        const mark = markOf(id, name!)
        const now = clock()
        await lifecycle.take(tx, {
          account, region, now, of, targets, copyTags: schedule.copyTags, tags: { ...schedule.tags, ...mark },
          description: `Created for policy: ${id} schedule: ${name}`,
        })
        await lifecycle.expire(tx, { account, region, now, tags: mark, keep: schedule.keep, olderMs: schedule.keepMs })
        await policy.update(tx, row, { status: { done: { ...status.done, [name!]: time! } } }, 'run')
      },
    },
  }
}

async function getPolicy({ tx, account, region }: Call<object>, id: string): Promise<PolicyRow> {
  const row = await policy.find(tx, id)
  if (row?.account === account && row.region === region) return row
  throw new ApiError('ResourceNotFoundException', `Policy ${id} does not exist.`, 404, { ResourceType: 'policy', ResourceIds: [id] })
}

function enabledOf(state: string | undefined): boolean {
  if (state !== 'ENABLED' && state !== 'DISABLED') throw invalid('State must be ENABLED or DISABLED.')
  return state === 'ENABLED'
}

const checkRole = (role: string): string => {
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(role)) throw invalid('ExecutionRoleArn must be the ARN of a role.')
  return role
}

/** Default policies, which have no details of their own, are refused with what they ask for. */
function refuseDefaults(input: object): void {
  const found = ['DefaultPolicy', 'CreateInterval', 'RetainInterval', 'CopyTags', 'ExtendDeletion', 'CrossRegionCopyTargets', 'Exclusions']
    .find(name => (input as Record<string, unknown>)[name] !== undefined)
  if (found) throw new ApiError('UnsupportedOperation', `Enclume does not implement ${found} of lifecycle policies.`)
}

const stateOf = ({ spec }: PolicyRow) => (spec.enabled ? 'ENABLED' as const : 'DISABLED' as const)
const summary = (row: PolicyRow): Sdk.LifecyclePolicySummary =>
  ({ PolicyId: row.id, Description: row.spec.description, State: stateOf(row), Tags: row.tags, PolicyType: 'EBS_SNAPSHOT_MANAGEMENT',
    DefaultPolicy: false })

/** `key=value`, as GetLifecyclePolicies is asked. */
const hasAll = (tags: Tags, asked: string[]): boolean => asked.every(text => Object.entries(tags).some(([key, value]) => `${key}=${value}` === text))

const actions: Actions<typeof Sdk> = {
  async CreateLifecyclePolicy(call) {
    const { input, tx, account, region, now } = call
    refuseDefaults(input)
    const description = input.Description!
    if (!/^[\w -]{0,500}$/.test(description)) throw invalid('Description may have up to 500 letters, digits, spaces, hyphens and underscores.')
    const tags = readTags(Object.entries(input.Tags ?? {}).map(([Key, Value]) => ({ Key, Value })))
    const spec = {
      description, role: checkRole(input.ExecutionRoleArn!), enabled: enabledOf(input.State), ...readDetails(input.PolicyDetails),
        modified: now.toISOString(),
    }
    const row = await tx.put(policy.make({ account, region, now, id: resourceId('policy'), tags, spec, status: { done: {} } }), 'created')
    return { PolicyId: row.id }
  },

  async GetLifecyclePolicies(call) {
    const { PolicyIds: ids, State, ResourceTypes: kinds = [], TargetTags: targets = [], TagsToAdd: added = [], DefaultPolicyType } = call.input
    if (DefaultPolicyType !== undefined) throw new ApiError('UnsupportedOperation', 'Enclume does not implement default lifecycle policies.')
    const rows = ids?.length ? await Promise.all(ids.map(id => getPolicy(call, id))) : await policy.list(call.tx, call)
    const wanted = (row: PolicyRow) => (State === undefined || State === stateOf(row)) && (kinds.length === 0 || kinds.includes(row.spec.of))
      && hasAll(row.spec.targets, targets) && (added.length === 0 || row.spec.schedules.some(({ tags }) => hasAll(tags, added)))
    return { Policies: rows.filter(wanted).map(summary) }
  },

  async GetLifecyclePolicy(call) {
    const row = await getPolicy(call, call.input.PolicyId!)
    const { id, account, region, created, spec } = row
    const { PolicyType: _type, ...common } = summary(row)
    return { Policy: {
      ...common, StatusMessage: stateOf(row), ExecutionRoleArn: spec.role, DateCreated: new Date(created),
        DateModified: new Date(spec.modified),
      PolicyDetails: { PolicyType: 'EBS_SNAPSHOT_MANAGEMENT', ...spec.details }, PolicyArn: `arn:aws:dlm:${region}:${account}:policy/${id}`,
    } }
  },

  async UpdateLifecyclePolicy(call) {
    const { input, tx, now } = call
    const row = await getPolicy(call, input.PolicyId!)
    refuseDefaults(input)
    await policy.update(tx, row, { spec: {
      modified: now.toISOString(),
      ...(input.ExecutionRoleArn !== undefined && { role: checkRole(input.ExecutionRoleArn) }),
      ...(input.State !== undefined && { enabled: enabledOf(input.State) }),
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.PolicyDetails !== undefined && readDetails(input.PolicyDetails)),
    } }, 'updated')
    return {}
  },

  /** The snapshots that it took stay (EBS User Guide, "Delete a policy"). */
  async DeleteLifecyclePolicy(call) {
    await call.tx.remove(await getPolicy(call, call.input.PolicyId!), 'deleted')
    return {}
  },
}

export const dlm = (): ServiceDefinition => ({
  id: 'dlm', operations: operationsOf(sdk), actions, missing: member => invalid(`${member} is required.`),
})
