/** What may be asked about images. Making images is not implemented yet: those actions are absent. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Image, ImageAttribute } from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { AMAZON, getImages, image, visibleImages, type ImageRow } from '#service/ec2/image/image'
import { invalidValue } from '#service/ec2/errors'

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

/** A test of explicit launch permissions. There is none yet besides `all`, that of public images. */
const executableBy = (users: readonly string[]) => (row: ImageRow): boolean =>
  users.length === 0 || (users.includes('all') && row.spec.public)

/** Attribute names of the request, each with its part of the answer. */
const attributes: Record<string, (view: Image) => Partial<ImageAttribute>> = {
  description: view => ({ Description: { Value: view.Description } }),
  launchPermission: view => ({ LaunchPermissions: view.Public ? [{ Group: 'all' }] : [] }),
  productCodes: () => ({ ProductCodes: [] }),
  kernel: () => ({}), ramdisk: () => ({}), tpmSupport: () => ({}), uefiData: () => ({}), lastLaunchedTime: () => ({}),
  bootMode: view => ({ BootMode: { Value: view.BootMode } }),
  sriovNetSupport: view => ({ SriovNetSupport: { Value: view.SriovNetSupport } }),
  imdsSupport: view => (view.ImdsSupport ? { ImdsSupport: { Value: view.ImdsSupport } } : {}),
  deregistrationProtection: view => ({ DeregistrationProtection: { Value: view.DeregistrationProtection } }),
}

export const actions: Actions<typeof sdk> = {
  async DescribeImages(call) {
    const { input: { ImageIds: ids = [], Owners: owners = [], ExecutableUsers: users = [] }, tx, account } = call
    const [owned, executable] = [ownedBy(owners, account), executableBy(users)]
    const candidates = ids.length > 0
      ? await getImages(tx, call, ids) : (await visibleImages(tx, call)).filter(row => row.status.state === 'available')
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
    return { ImageId: id, ...part(image.view(row!, undefined)) }
  },
}
