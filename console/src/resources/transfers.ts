/** Disks and images as files in buckets: the forms that begin it, and the tasks that do it. VM Import/Export User Guide. */
import { listAll, wordsOf } from '../api/call'
import { t, type Key } from '../i18n/text'
import { go } from '../shell/router'
import { lines, role, snapshot, text } from './choices'
import { column, type Field, type Form, type Item, type Resource } from './kinds'
import { description } from './snapshots'

const TASKS = '/ec2/image-tasks'
const seeTasks = (): void => go(TASKS)

const bucket: Field = {
  name: 'bucket',
  label: 'buckets.name',
  kind: 'select',
  from: { service: 's3', operation: 'ListBuckets', member: 'Buckets', value: item => item.Name },
}
const key: Field = { name: 'key', label: 'transfers.key', hint: 'transfers.keyHint' }
const further: Field = { name: 'further', label: 'transfers.further', hint: 'transfers.furtherHint', kind: 'area', optional: true }
/** Those of AWS's formats that Enclume reads and writes. */
const format: Field = { name: 'format', label: 'transfers.format', kind: 'select', options: ['RAW', 'VMDK'] }
/** Roles that VM Import/Export may take on. */
const service: Field = {
  ...role,
  label: 'transfers.role',
  hint: 'transfers.roleHint',
  optional: true,
  from: { ...role.from!, keep: item => decodeURIComponent(item.AssumeRolePolicyDocument ?? '').includes('vmie.amazonaws.com') },
}

export const importSnapshot: Form = {
  operation: 'ImportSnapshot',
  fields: [bucket, key, format, description, service],
  id: answer => answer.ImportTaskId,
  done: seeTasks,
  input: values => ({
    Description: text(values.description),
    DiskContainer: { Format: values.format, UserBucket: { S3Bucket: values.bucket, S3Key: values.key } },
    RoleName: text(values.role),
  }),
}

/** Of one disk or several: the first has the system, and all of them are of one format and in one bucket. */
export const importImage: Form = {
  operation: 'ImportImage',
  fields: [
    { name: 'from', label: 'f.source', kind: 'select', options: ['file', 'snapshot'], named: said },
    ...[bucket, key, further, format].map((field): Field => ({ ...field, when: values => values.from === 'file' })),
    { ...snapshot, optional: false, when: values => values.from === 'snapshot' },
    description,
    service,
  ],
  id: answer => answer.ImportTaskId,
  done: seeTasks,
  input: values => ({
    Description: text(values.description),
    DiskContainers:
      values.from === 'file'
        ? [values.key, ...lines(values.further)].map(S3Key => ({ Format: values.format, UserBucket: { S3Bucket: values.bucket, S3Key } }))
        : [{ SnapshotId: values.snapshot }],
    RoleName: text(values.role),
  }),
}

export const exportImage: Form = {
  operation: 'ExportImage',
  fields: [bucket, { name: 'prefix', label: 'transfers.prefix', optional: true, value: 'exports/' }, format, description, service],
  done: seeTasks,
  input: (values, item) => ({
    ImageId: item?.ImageId,
    DiskImageFormat: values.format,
    S3ExportLocation: { S3Bucket: values.bucket, S3Prefix: text(values.prefix) },
    Description: text(values.description),
    RoleName: text(values.role),
  }),
}

export const storeImage: Form = {
  operation: 'CreateStoreImageTask',
  fields: [bucket],
  done: seeTasks,
  input: (values, item) => ({ ImageId: item?.ImageId, Bucket: values.bucket }),
}

export const restoreImage: Form = {
  operation: 'CreateRestoreImageTask',
  fields: [bucket, { ...key, hint: 'transfers.storedHint' }, { name: 'name', label: 'images.name', optional: true }],
  id: answer => answer.ImageId,
  input: values => ({ Bucket: values.bucket, ObjectKey: values.key, Name: text(values.name) }),
}

function said(word: string): string {
  return t(`transfers.${word}` as Key)
}

const placeOf = (Bucket: string | undefined, name = ''): string | undefined => (Bucket === undefined ? undefined : `s3://${Bucket}/${name}`)
/** One word for what the APIs call `active` and `InProgress`; they say no progress of what is done. */
const stateOf = (state: string): string => ({ active: 'in-progress', InProgress: 'in-progress' })[state] ?? state.toLowerCase()
const whole = ({ State, Progress, ...rest }: Item): Item => {
  const state = stateOf(State)
  return { ...rest, State: state, Progress: state === 'completed' ? '100%' : Progress === undefined ? undefined : `${Progress}%` }
}

const ofSnapshot = ({ ImportTaskId, Description, SnapshotTaskDetail: of, Tags }: Item): Item => ({
  TaskId: ImportTaskId, What: 'import-snapshot', State: of.Status, Progress: of.Progress, Message: of.StatusMessage, Description, Tags,
  Place: placeOf(of.UserBucket?.S3Bucket, of.UserBucket?.S3Key), SnapshotId: of.SnapshotId,
})
const ofImport = ({ ImportTaskId, Status, StatusMessage, SnapshotDetails: [disk] = [], ...of }: Item): Item => ({
  ...of, TaskId: ImportTaskId, What: 'import-image', State: Status, Message: StatusMessage,
  Place: placeOf(disk?.UserBucket?.S3Bucket, disk?.UserBucket?.S3Key), SnapshotId: disk?.SnapshotId,
})
const ofExport = ({ ExportImageTaskId, Status, StatusMessage, S3ExportLocation: place, ...of }: Item): Item => ({
  ...of, TaskId: ExportImageTaskId, What: 'export-image', State: Status, Message: StatusMessage, Place: placeOf(place?.S3Bucket, place?.S3Prefix),
})
/** They have no ids of their own. */
const ofStore = (of: Item): Item => ({
  TaskId: `${of.AmiId} ${new Date(of.TaskStartTime).toISOString()}`, What: 'store-image', State: of.StoreTaskState, Progress: of.ProgressPercentage,
  Message: of.StoreTaskFailureReason, Place: placeOf(of.Bucket, of.S3objectKey), ImageId: of.AmiId,
})

const SOURCES: [what: string, operation: string, member: string, row: (task: Item) => Item][] = [
  ['import-snapshot', 'DescribeImportSnapshotTasks', 'ImportSnapshotTasks', ofSnapshot],
  ['import-image', 'DescribeImportImageTasks', 'ImportImageTasks', ofImport],
  ['export-image', 'DescribeExportImageTasks', 'ExportImageTasks', ofExport],
  ['store-image', 'DescribeStoreImageTasks', 'StoreImageTaskResults', ofStore],
]
/** Of each kind that may be described; where none may, the refusal. */
async function readable(_: unknown, onLack: (words: string) => void): Promise<Item[]> {
  const answers = await Promise.allSettled(SOURCES.map(([, operation, member]) => listAll('ec2', operation, member)))
  const refused = answers.flatMap((answer, i) =>
    answer.status === 'rejected' ? [{ what: said(SOURCES[i]![0]), reason: answer.reason as unknown }] : [],
  )
  if (refused.length === SOURCES.length) throw refused[0]!.reason
  const why = [...new Set(refused.map(one => wordsOf(one.reason)))].join(' ')
  if (refused.length > 0) onLack(t('transfers.unread', { what: refused.map(one => one.what).join(', '), why }))
  return answers.flatMap((answer, i) => (answer.status === 'fulfilled' ? answer.value.map(SOURCES[i]![3]) : [])).map(whole)
}
const underWay = (way: 'import' | 'export') => (item: Item): boolean => item.What.startsWith(way) && item.State === 'in-progress'

export const tasks: Resource = {
  path: TASKS,
  service: 'ec2',
  title: 'menu.tasks',
  empty: ['transfers.empty', 'transfers.emptyHint'],
  operation: 'DescribeImportSnapshotTasks',
  member: 'ImportSnapshotTasks',
  load: readable,
  id: item => item.TaskId,
  kinds: ['import-snapshot-task', 'import-image-task', 'export-image-task', 'image-task'],
  columns: [
    column('TaskId', 'transfers.task', { width: 290 }),
    { id: 'What', label: 'transfers.what', value: item => said(item.What), width: 230 },
    column('State', 'f.state', { kind: 'state', width: 150 }),
    column('Progress', 'f.progress', { width: 140 }),
    column('Message', 'transfers.message', { width: 300 }),
    column('Place', 'transfers.place', { width: 300 }),
    column('ImageId', 'f.ImageId', { link: '/ec2/images' }),
    column('SnapshotId', 'f.SnapshotId', { link: '/ec2/snapshots' }),
    column('Description', 'f.description', { hidden: true }),
  ],
  actions: [
    {
      id: 'cancelImport',
      label: 'transfers.cancelImport',
      operation: 'CancelImportTask',
      each: item => ({ ImportTaskId: item.TaskId }),
      enabled: underWay('import'),
      confirm: 'plain',
    },
    {
      id: 'cancelExport',
      label: 'transfers.cancelExport',
      operation: 'CancelExportTask',
      each: item => ({ ExportTaskId: item.TaskId }),
      enabled: underWay('export'),
      confirm: 'plain',
    },
  ],
}
