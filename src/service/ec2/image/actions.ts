/** What may be asked about images. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Image, ImageAttribute } from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { AMAZON, getImages, image, visibleImages, type ImageRow } from '#service/ec2/image/image'
import { permissionsView } from '#service/ec2/account/sharing'
import type { Context } from '#service/ec2/context'
import { invalidValue } from '#service/ec2/errors'
import { copyImage, createImage, registerImage } from '#service/ec2/image/create'
import { managing } from '#service/ec2/image/manage'

const PAGE = { least: 1, most: 1000 }
const ALIASES = ['amazon', 'aws-marketplace', 'aws-backup-vault']

/** A test of the owners asked for: account ids, `self`, and aliases that AWS keeps. */
function ownedBy(owners: readonly string[], account: string): (row: ImageRow) => boolean {
  for (const owner of owners) {
    if (owner !== 'self' && !ALIASES.includes(owner) && !/^\d{12}$/.test(owner)) throw invalidValue('owner', owner)
  }
  const accounts = owners.map(owner => (owner === 'self' ? account : owner === 'amazon' ? AMAZON : owner))
  return row => owners.length === 0 || accounts.includes(row.account)
}

/** A test of explicit launch permissions: of accounts, of the caller (`self`), of everybody (`all`). */
const executableBy = (users: readonly string[], account: string) => (row: ImageRow): boolean =>
  users.length === 0 || users.some(user => (user === 'all' ? row.spec.public : (row.spec.users ?? []).includes(user === 'self' ? account : user)))

/** Deprecated images are listed for their owner, and for others who ask for them; disabled ones for whoever asks (API Reference, DescribeImages). */
function listed({ account, now, input: { IncludeDeprecated: deprecated, IncludeDisabled: disabled } }: Call<sdk.DescribeImagesRequest>) {
  return ({ account: owner, spec, status: { state } }: ImageRow): boolean => {
    if (state === 'deregistered' || (state === 'disabled' && !disabled)) return false
    return owner === account || deprecated === true || spec.deprecateAt === undefined || new Date(spec.deprecateAt) > now
  }
}

/** Attribute names of the request, each with its part of the answer. */
const attributes: Record<string, (view: Image, row: ImageRow) => Partial<ImageAttribute>> = {
  description: view => ({ Description: { Value: view.Description } }),
  launchPermission: (_, row) => ({ LaunchPermissions: permissionsView(row.spec) }),
  productCodes: () => ({ ProductCodes: [] }),
  kernel: () => ({}), ramdisk: () => ({}), tpmSupport: () => ({}), uefiData: () => ({}),
  lastLaunchedTime: view => (view.LastLaunchedTime ? { LastLaunchedTime: { Value: view.LastLaunchedTime } } : {}),
  bootMode: view => ({ BootMode: { Value: view.BootMode } }),
  sriovNetSupport: view => ({ SriovNetSupport: { Value: view.SriovNetSupport } }),
  imdsSupport: view => (view.ImdsSupport ? { ImdsSupport: { Value: view.ImdsSupport } } : {}),
  deregistrationProtection: view => ({ DeregistrationProtection: { Value: view.DeregistrationProtection } }),
}

export const actions = (context: Context): Actions<typeof sdk> => ({
  ...managing,

  async CreateImage(call) {
    return { ImageId: (await createImage(context, call)).id }
  },

  async RegisterImage(call) {
    return { ImageId: (await registerImage(call)).id }
  },

  async CopyImage(call) {
    return { ImageId: (await copyImage(context, call)).id }
  },

  async DescribeImages(call) {
    const { input: { ImageIds: ids = [], Owners: owners = [], ExecutableUsers: users = [] }, tx, account } = call
    const [owned, executable] = [ownedBy(owners, account), executableBy(users, account)]
    const candidates = ids.length > 0
      ? await getImages(tx, call, ids) : (await visibleImages(tx, call)).filter(listed(call))
    const rows = candidates.filter(row => owned(row) && executable(row))
    const { hits, next } = await select(call, image, { ids: undefined, rows, page: PAGE })
    return { Images: hits.map(hit => hit.view), NextToken: next }
  },

  async DescribeImageAttribute({ input: { ImageId: id = '', Attribute: name = '' }, tx, account, region }) {
    const [row] = await getImages(tx, { account, region }, [id])
    // AWS answers so even to the owner (API Reference: "deprecated", and aws-cli issue 1083).
    if (name === 'blockDeviceMapping') throw new ApiError('AuthFailure', 'Unauthorized attempt to access restricted resource')
    const part = Object.hasOwn(attributes, name) ? attributes[name] : undefined
    if (!part) throw invalidValue('attribute', name)
    // Only the owner may ask, also of a public image (seen on AWS in cloudquery pull request 9406).
    if (row!.account !== account) throw new ApiError('AuthFailure', `Not authorized for image:${id}`)
    return { ImageId: id, ...part(image.view(row!, undefined), row!) }
  },
})
