/**
 * StartInstances, StopInstances, RebootInstances, TerminateInstances: each writes what is wanted; the loop makes it so.
 *
 * Which states allow what: EC2 User Guide, "Instance state changes". An id that can't be treated refuses the whole call.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { roomOf, type Room } from '#service/ec2/instance/capacity'
import { hasRoot } from '#service/ec2/instance/belongings'
import { instance, stateOf, type InstanceRow } from '#service/ec2/instance/instance'
import { instances, isIn } from '#service/ec2/states'
import { givePublicAddress } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'

type Change = { InstanceId: string; CurrentState: ReturnType<typeof stateOf>; PreviousState: ReturnType<typeof stateOf> }

const wrongState = (row: InstanceRow, verb: string) =>
  new ApiError('IncorrectInstanceState', `The instance '${row.id}' is not in a state from which it can be ${verb}.`)

/** 'User initiated (2026-01-01 10:00:00 GMT)': how EC2 dates its StateTransitionReason. */
export const userInitiated = (now: Date): string => `User initiated (${now.toISOString().slice(0, 19).replace('T', ' ')} GMT)`
const byUser = { code: 'Client.UserInitiatedShutdown', message: 'Client.UserInitiatedShutdown: User initiated shutdown' }

async function each(
  call: Call<{ InstanceIds: string[] | undefined }>, change: (row: InstanceRow) => Promise<InstanceRow>,
): Promise<Change[]> {
  const rows = await instance.getAll(call.tx, call, call.input.InstanceIds ?? [])
  const changes: Change[] = []
  for (const row of rows) {
    const after = await change(row)
    changes.push({ InstanceId: row.id, CurrentState: stateOf(after.status.state), PreviousState: stateOf(row.status.state) })
  }
  return changes
}

export const lifecycle = (context: Context): Actions<typeof sdk> => ({
  async StartInstances(call) {
    let room: Room | undefined
    const StartingInstances = await each(call, async row => {
      const { state } = row.status
      if (state === 'running' || state === 'pending') return row
      if (!isIn(instances.start, state)) throw wrongState(row, 'started')
      if (!await hasRoot(call.tx, row)) {
        throw new ApiError('InvalidParameterValue',
          `Invalid value '${row.id}' for instanceId. Instance does not have a volume attached at root (${row.spec.rootDevice})`)
      }
      room ??= await roomOf(call.tx, context)
      room.take(row.spec)
      const primary = await networkInterface.find(call.tx, row.spec.interfaces[0]!)
      // None with a second interface (EC2 User Guide, "Amazon EC2 instance IP addressing").
      const alone = row.spec.interfaces.length === 1
      if (row.spec.autoPublic && alone && primary && !primary.spec.addresses[0]?.public) await givePublicAddress(call.tx, primary, context.home)
      return instance.update(call.tx, row, {
        spec: { desired: 'running', force: false, launchTime: call.now.toISOString() },
        status: { state: 'pending', reason: undefined, transition: '' },
      }, 'pending')
    })
    return { StartingInstances }
  },

  async StopInstances(call) {
    if (call.input.Hibernate) {
      throw new ApiError('UnsupportedHibernationConfiguration', 'Enclume does not implement hibernation.')
    }
    const StoppingInstances = await each(call, async row => {
      const { state } = row.status
      // Both mean not to wait for the guest (API Reference, StopInstances).
      const force = call.input.Force === true || call.input.SkipOsShutdown === true
      if (state === 'stopped') return row
      if (state === 'stopping') return force && !row.spec.force ? instance.update(call.tx, row, { spec: { force } }, 'stopping') : row
      if (!isIn(instances.stop, state)) throw wrongState(row, 'stopped')
      if (row.spec.stopProtection) {
        throw new ApiError('OperationNotPermitted',
          `The instance '${row.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`)
      }
      return instance.update(call.tx, row, {
        spec: { desired: 'stopped', force }, status: { state: 'stopping', reason: byUser, transition: userInitiated(call.now) },
      }, 'stopping')
    })
    return { StoppingInstances }
  },

  async RebootInstances(call) {
    await each(call, async row => {
      const { state } = row.status
      if (!isIn(instances.reboot, state)) throw wrongState(row, 'rebooted')
      return instance.update(call.tx, row, { spec: { rebootsAsked: row.spec.rebootsAsked + 1 } }, 'rebooting')
    })
    return {}
  },

  async TerminateInstances(call) {
    const TerminatingInstances = await each(call, async row => {
      if (row.spec.desired === 'terminated') return row
      if (row.spec.terminationProtection) {
        throw new ApiError('OperationNotPermitted',
          `The instance '${row.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`)
      }
      return instance.update(call.tx, row, {
        spec: { desired: 'terminated' },
        status: { state: 'shutting-down', reason: byUser, transition: userInitiated(call.now) },
      }, 'shutting-down')
    })
    return { TerminatingInstances }
  },
})
