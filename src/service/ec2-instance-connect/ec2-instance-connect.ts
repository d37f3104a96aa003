/**
 * EC2 Instance Connect: a public key that one user of one instance may log in with, for the next minute.
 *
 * Invariant: a key is offered by the instance's metadata (managed-ssh-keys) until it expires, and then by nothing; what has expired is
 * removed with the next key that is sent. The instance's sshd asks for it at each login (images/base).
 */
import { createHash } from 'node:crypto'
import type * as Sdk from '@aws-sdk/client-ec2-instance-connect'
import type { Actions, ServiceDefinition } from '#kit/action'
import { ApiError } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import type { Row } from '#store/store'

/** The schemas; the wire reads its errors from them too. */
export const sdk = await loadSdk('ec2-instance-connect')

/** The record that the metadata service reads as well: its kind is the contract between the two. */
type OfferedKey = Row<{ instance: string; user: string; key: string; expires: string }, object>
export const OFFERED = 'instance-connect-key'

/** "The key is available for 60 seconds" (API Reference, SendSSHPublicKey). */
const OFFERED_MS = 60_000
const USER = /^[A-Za-z_][A-Za-z0-9@._-]{0,31}[$]?$/
const KEY = /^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,4000}={0,2}( [^\n\r]{0,200})?\n?$/

type Instance = Row<{ zone: string }, { state: string }>

const actions: Actions<typeof Sdk> = {
  async SendSSHPublicKey({ input, tx, account, region, now, caller }) {
    const { InstanceId: id, InstanceOSUser: user, SSHPublicKey: key, AvailabilityZone: zone } = input
    if (!USER.test(user ?? '')) throw new ApiError('InvalidArgsException', 'The OS user is no user name.')
    if (!KEY.test(key ?? '')) throw new ApiError('InvalidArgsException', 'The public key is not an OpenSSH public key of a supported type.')
    const row = await tx.get<Instance>('instance', id!)
    if (row?.account !== account || row.region !== region || row.status.state === 'terminated' || (zone !== undefined && zone !== row.spec.zone)) {
      throw new ApiError('EC2InstanceNotFoundException', `Instance not found: ${id}`)
    }
    if (row.status.state !== 'running') {
      throw new ApiError('EC2InstanceStateInvalidException', 'Instance is not running. Start it, and try again.')
    }
    for (const old of await tx.list<OfferedKey>({ kind: OFFERED })) if (old.spec.expires <= now.toISOString()) await tx.remove(old, 'expired')
    const spec = { instance: id!, user: user!, key: key!.trim(), expires: new Date(now.getTime() + OFFERED_MS).toISOString() }
    const name = createHash('sha256').update(JSON.stringify([id, user, spec.key])).digest('hex')
    const before = await tx.get<OfferedKey>(OFFERED, name)
    await tx.put<OfferedKey>({
      kind: OFFERED, id: name, account, region, generation: before?.generation ?? 0, created: now.toISOString(), spec, status: {}, tags: {},
    }, 'offered')
    return { RequestId: caller.requestId, Success: true }
  },
}

/** The service as the dispatcher takes it. */
export function ec2InstanceConnect(): ServiceDefinition {
  return {
    id: 'ec2-instance-connect', operations: operationsOf(sdk), actions,
    missing: member => new ApiError('InvalidArgsException', `${member} is required.`),
  }
}
