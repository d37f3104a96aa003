/** What an owner may do with an AMI, and everybody: launch it. */
import { images, isIn } from '../../../src/service/ec2/states'
import { currentRegion } from '../api/call'
import { facts } from '../shell/facts'
import { moment, momentText, simple, text } from './choices'
import type { Action, Form, Item } from './kinds'
import { description, sharedWith, sharing } from './snapshots'
import { exportImage, importImage, restoreImage, storeImage } from './transfers'

const own = (item: Item): boolean => item.OwnerId === facts().account
const isProtected = (item: Item): boolean => item.DeregistrationProtection?.startsWith('enabled') === true

const copy: Form = {
  operation: 'CopyImage',
  fields: [{ name: 'name', label: 'images.name' }, description],
  start: item => ({ name: item.Name }),
  input: (values, item) => ({
    Name: values.name,
    SourceImageId: item?.ImageId,
    SourceRegion: currentRegion(),
    Description: text(values.description),
  }),
}

const share: Form = {
  operation: 'ModifyImageAttribute',
  fields: sharing,
  input: (values, item) => ({ ImageId: item?.ImageId, LaunchPermission: sharedWith(values) }),
}

/** No date takes a deprecation back. */
const deprecation: Form = {
  fields: [{ name: 'at', label: 'images.deprecateAt', hint: 'images.deprecateHint', kind: 'moment', optional: true }],
  start: item => ({ at: item.DeprecationTime ? momentText(item.DeprecationTime) : '' }),
  calls: (values, { ImageId, DeprecationTime: before }) => {
    const at = moment(values.at)
    if (at) return [{ operation: 'EnableImageDeprecation', input: { ImageId, DeprecateAt: at } }]
    return before ? [{ operation: 'DisableImageDeprecation', input: { ImageId } }] : []
  },
}

const protection: Form = {
  fields: [{ name: 'on', label: 'images.protection', hint: 'images.protectionHint', kind: 'bool' }],
  start: item => ({ on: isProtected(item) }),
  calls: ({ on }, item) =>
    on === isProtected(item)
      ? []
      : [{ operation: on ? 'EnableImageDeregistrationProtection' : 'DisableImageDeregistrationProtection', input: { ImageId: item.ImageId } }],
}

const describe: Form = {
  operation: 'ModifyImageAttribute',
  fields: [description],
  start: item => ({ description: item.Description ?? '' }),
  input: (values, item) => ({ ImageId: item?.ImageId, Description: { Value: values.description } }),
}

export const imageActions: Action[] = [
  {
    id: 'launch',
    label: 'catalog.launch',
    place: 'button',
    href: item => `/ec2/instances/launch?image=${item.ImageId}`,
    enabled: item => isIn(images.launch, item.State),
  },
  { id: 'copy', label: 'images.copy', enabled: item => own(item) && isIn(images.launch, item.State), form: copy },
  { id: 'describe', label: 'images.describe', enabled: own, form: describe },
  { id: 'share', label: 'images.share', enabled: own, form: share },
  { id: 'deprecation', label: 'images.deprecation', enabled: own, form: deprecation },
  { id: 'protection', label: 'images.manageProtection', enabled: own, form: protection },
  { id: 'import', label: 'transfers.importImage', least: 0, form: importImage },
  { id: 'export', label: 'transfers.exportImage', enabled: item => own(item) && isIn(images.launch, item.State), form: exportImage },
  { id: 'store', label: 'transfers.storeImage', enabled: item => own(item) && isIn(images.launch, item.State), form: storeImage },
  { id: 'restore', label: 'transfers.restoreImage', least: 0, form: restoreImage },
  {
    id: 'disable',
    label: 'images.disable',
    ...simple('DisableImage', 'ImageId'),
    enabled: item => own(item) && isIn(images.switch, item.State),
    confirm: 'plain',
  },
  { id: 'enable', label: 'images.enable', ...simple('EnableImage', 'ImageId'), enabled: item => own(item) && isIn(images.switch, item.State) },
  {
    id: 'deregister',
    label: 'images.deregister',
    ...simple('DeregisterImage', 'ImageId'),
    enabled: item => own(item) && !isProtected(item),
    confirm: 'typed',
  },
]
