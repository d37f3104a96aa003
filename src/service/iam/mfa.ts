/** Virtual MFA devices. A device's seed is answered once, when it is made; what is kept is sealed. */
import { randomBytes } from 'node:crypto'
import type { VirtualMFADevice } from '@aws-sdk/client-iam'
import { ApiError } from '#kit/error'
import { learnClock, serialOf } from '#identity/device'
import type { Identity } from '#identity/identity'
import type { Sealer } from '#identity/seal'
import { devices, users, type DeviceRow, type UserRow } from '#identity/records'
import { base32 } from '#identity/totp'
import { checkName, checkPath, conflict, exceeded, exists, getUser, gone, page, QUOTA, readTags, tagsOf, userOrCaller, withoutTags,
  type IamActions } from '#service/iam/common'
import { qrCode } from '#service/iam/qr-code'
import { userView } from '#service/iam/users'
import type { Reader } from '#store/store'

const SEED_BYTES = 40

async function getDevice(reader: Reader, account: string, serial: string): Promise<DeviceRow> {
  const row = await devices.byName(reader, account, serial.slice(serial.lastIndexOf('/') + 1))
  if (!row || serialOf(row) !== serial) throw gone(`VirtualMFADevice with serial number ${serial} doesn't exist.`)
  return row
}

async function deviceOfUser(reader: Reader, user: UserRow, serial: string): Promise<DeviceRow> {
  const row = await getDevice(reader, user.account, serial)
  if (row.spec.owner !== user.id) throw gone(`MFA Device with serial number ${serial} is not of the user ${user.spec.name}.`)
  return row
}

async function view(reader: Reader, row: DeviceRow): Promise<VirtualMFADevice & { SerialNumber: string }> {
  const owner = row.spec.owner === undefined ? undefined : await users.get(reader, row.spec.owner)
  return {
    SerialNumber: serialOf(row), User: owner && userView(owner), EnableDate: row.spec.enabled === undefined ? undefined : new Date(row.spec.enabled),
    Tags: tagsOf(row.tags),
  }
}

type Codes = { AuthenticationCode1?: string; AuthenticationCode2?: string }

/** Two codes that follow each other prove the seed and tell the device's clock (API Reference: EnableMFADevice). */
function prove(sealer: Sealer, row: DeviceRow, { AuthenticationCode1: first, AuthenticationCode2: second }: Codes, now: Date):
ReturnType<typeof learnClock> & object {
  const learnt = learnClock(sealer, row, { first: first!, second: second!, now })
  if (!learnt) throw new ApiError('InvalidAuthenticationCodeException', 'Authentication code for device is not valid.', 403)
  return learnt
}

export const mfaActions = ({ sealer }: Identity): IamActions => ({
  async CreateVirtualMFADevice({ tx, input, account, now }) {
    const name = checkName('VirtualMFADeviceName', input.VirtualMFADeviceName!)
    const path = checkPath(input.Path)
    const tags = readTags(input.Tags)
    const seed = randomBytes(SEED_BYTES)
    const draft = await devices.create(tx, { account }, { spec: { name, path, seed: '', step: 0 }, now, tags })
    if (!draft) throw exists('MFADevice', name)
    const row = await devices.update(tx, draft, { seed: sealer.seal('mfa', draft.id, seed).toString('base64') })
    const text = base32(seed)
    // Its form is told by the API Reference, VirtualMFADevice: QRCodePNG.
    const picture = qrCode(`otpauth://totp/${name}@${account}?secret=${text}`)
    return { VirtualMFADevice: { ...await view(tx, row), Base32StringSeed: new Uint8Array(Buffer.from(text)), QRCodePNG: picture } }
  },
  async EnableMFADevice({ tx, input, account, now }) {
    const user = await getUser(tx, account, input.UserName!)
    const row = await getDevice(tx, account, input.SerialNumber!)
    if (row.spec.owner !== undefined) throw exists('MFADevice', row.spec.name)
    const own = (await devices.list(tx, account)).filter(device => device.spec.owner === user.id)
    if (own.length >= QUOTA.devicesOfUser) throw exceeded('MFADevicesPerUser', QUOTA.devicesOfUser)
    await devices.update(tx, row, { owner: user.id, enabled: now.toISOString(), ...prove(sealer, row, input, now) })
    return {}
  },
  async ResyncMFADevice({ tx, input, account, now }) {
    const row = await deviceOfUser(tx, await getUser(tx, account, input.UserName!), input.SerialNumber!)
    await devices.update(tx, row, prove(sealer, row, input, now))
    return {}
  },
  async DeactivateMFADevice({ tx, input, account, caller }) {
    const user = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    await devices.update(tx, await deviceOfUser(tx, user, input.SerialNumber!), { owner: undefined, enabled: undefined })
    return {}
  },
  async DeleteVirtualMFADevice({ tx, input, account }) {
    const row = await getDevice(tx, account, input.SerialNumber!)
    if (row.spec.owner !== undefined) throw conflict('MFA VirtualDevice is in use. Must deactivate first.')
    await tx.remove(row, 'deleted')
    return {}
  },
  async ListMFADevices({ tx, input, account, caller }) {
    if (input.UserName === undefined && caller.principal.root) return { MFADevices: [], IsTruncated: false }
    const user = await userOrCaller({ reader: tx, account, caller }, input.UserName)
    const own = (await devices.list(tx, account)).filter(row => row.spec.owner === user.id)
    const { items, ...rest } = page(own, input, row => row.spec.name)
    return { MFADevices: items.map(row => ({ UserName: user.spec.name, SerialNumber: serialOf(row),
      EnableDate: new Date(row.spec.enabled!) })), ...rest }
  },
  async ListVirtualMFADevices({ tx, input, account }) {
    const status = input.AssignmentStatus ?? 'Any'
    const rows = (await devices.list(tx, account)).filter(row => status === 'Any' || (status === 'Assigned') === (row.spec.owner !== undefined))
    const { items, ...rest } = page(rows, input, row => row.spec.name)
    return { VirtualMFADevices: await Promise.all(items.map(row => view(tx, row))), ...rest }
  },
  async TagMFADevice({ tx, input, account }) {
    const row = await getDevice(tx, account, input.SerialNumber!)
    await devices.update(tx, row, {}, readTags(input.Tags, row.tags))
    return {}
  },
  async UntagMFADevice({ tx, input, account }) {
    const row = await getDevice(tx, account, input.SerialNumber!)
    await devices.update(tx, row, {}, withoutTags(row.tags, input.TagKeys!))
    return {}
  },
  async ListMFADeviceTags({ tx, input, account }) {
    const row = await getDevice(tx, account, input.SerialNumber!)
    const { items, ...rest } = page(tagsOf(row.tags) ?? [], input, tag => tag.Key)
    return { Tags: items, ...rest }
  },
})
