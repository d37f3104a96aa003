/** Disks and images as files, by the console's forms: snapshots and AMIs of files, files of AMIs, and their tasks, over the fake engine. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import * as s3 from '@aws-sdk/client-s3'
import type { Browser, Locator, Page } from 'playwright-core'
import { BLOCK_BYTES } from '#engine/port'
import { keys } from '../conformance/server.ts'
import { handsOf } from './hands.ts'
import { openSeat, visit, type World } from './kit.ts'
import { openSeeded } from './seed.ts'

let browser: Browser
let world: World
let page: Page
let api: ec2.EC2Client
let objects: s3.S3Client
const Bucket = 'course-files'
before(async () => {
  ({ browser, world, page } = await openSeeded())
  api = world.server.ec2()
  objects = new s3.S3Client({ endpoint: world.server.url, region: 'us-east-1', credentials: keys, forcePathStyle: true })
  // The first block of a disk with a partition table.
  const boot = randomBytes(BLOCK_BYTES)
  boot.writeUInt16BE(0x55aa, 510)
  await objects.send(new s3.PutObjectCommand({ Bucket, Key: 'disks/web.raw', Body: boot }))
})
after(async () => {
  objects.destroy()
  await browser.close()
  await world.close()
})

const { act, submit, choose } = handsOf(() => page)
/** The row of a task, once its state is that. */
async function task(text: string, state: string): Promise<Locator> {
  await page.getByRole('heading', { level: 1, name: /^Import and export tasks/ }).waitFor()
  const row = page.getByRole('row').filter({ hasText: text }).filter({ hasText: state })
  await row.first().waitFor()
  return row.first()
}
const madeOf = async (row: Locator, kind: RegExp): Promise<string> => row.getByRole('link', { name: kind }).innerText()

test('a snapshot is imported from a file in a bucket, and its task, where the form leads, follows to the end and to the snapshot', async () => {
  await visit(page, '/ec2/snapshots')
  const dialog = await act('Import snapshot')
  await choose(/^Bucket name/, Bucket)
  await dialog.getByLabel(/^Object key/).fill('disks/web.raw')
  await dialog.getByLabel(/^Description/).fill('From the old server')
  await dialog.getByRole('button', { name: /^Service role/ }).click()
  assert.deepEqual((await page.getByRole('option').allInnerTexts()).map(one => one.split('\n')[0]), ['–', 'vmimport'])
  await page.getByRole('option', { name: 'vmimport' }).click()
  await submit('Import snapshot')
  const row = await task('s3://course-files/disks/web.raw', 'Completed')
  await row.getByText('100%').waitFor()
  const id = await madeOf(row, /^snap-/)
  const { Snapshots } = await api.send(new ec2.DescribeSnapshotsCommand({ SnapshotIds: [id] }))
  assert.deepEqual([Snapshots![0]!.State, Snapshots![0]!.Description], ['completed', 'From the old server'])
})

test('a task that fails says why, and can\'t be cancelled any more', async () => {
  await visit(page, '/ec2/image-tasks')
  const row = await task('disks/none.raw', 'Deleted')
  await row.getByText(/ClientError: no object/).waitFor()
  await row.getByRole('checkbox').check()
  assert.ok(await page.getByRole('button', { name: 'Actions' }).isDisabled())
})

test('who may not describe some kinds of tasks sees the others, and is told which are not there', async () => {
  const admin = new iam.IAMClient({ endpoint: world.server.url, region: 'us-east-1', credentials: keys })
  const Statement = [
    { Effect: 'Allow', Action: 'ec2:Describe*', Resource: '*' },
    { Effect: 'Deny', Action: ['ec2:DescribeExportImageTasks', 'ec2:DescribeStoreImageTasks'], Resource: '*' },
  ]
  await admin.send(new iam.CreateUserCommand({ UserName: 'importer' }))
  await admin.send(new iam.CreateLoginProfileCommand({ UserName: 'importer', Password: 'Correct-Horse-1' }))
  await admin.send(new iam.PutUserPolicyCommand({
    UserName: 'importer', PolicyName: 'tasks', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
  }))
  admin.destroy()
  const { context, page: seat } = await openSeat(browser, { language: 'en' })
  await seat.goto(world.url)
  await seat.getByLabel('IAM user', { exact: false }).first().check()
  await seat.getByLabel('Account ID').fill(keys.account)
  await seat.getByLabel('IAM user name').fill('importer')
  await seat.getByLabel('Password', { exact: true }).fill('Correct-Horse-1')
  await seat.getByRole('button', { name: 'Sign in' }).click()
  await seat.getByRole('navigation', { name: 'Navigation' }).first().waitFor()
  await visit(seat, '/ec2/image-tasks')
  await seat.getByRole('row').filter({ hasText: 'disks/none.raw' }).waitFor()
  await seat.getByText('Not all of this could be loaded').waitFor()
  await seat.getByText(/could not read them: Export of an image, Storing of an AMI\. UnauthorizedOperation: /).waitFor()
  await seat.evaluate("localStorage.setItem('enclume-language', 'fr')")
  await seat.reload()
  await seat.getByText(/faute de pouvoir les lire\s: Exportation d'une image, Stockage d'une AMI\. UnauthorizedOperation/).waitFor()
  await seat.getByRole('row').filter({ hasText: 'disks/none.raw' }).waitFor()
  await context.close()
})

test('an image is imported from a file, and from a snapshot', async () => {
  await visit(page, '/ec2/images')
  const dialog = await act('Import image')
  await choose(/^Bucket name/, Bucket)
  await dialog.getByLabel(/^Object key(?!s)/).fill('disks/web.raw')
  await submit('Import image')
  const file = await madeOf(await task('import-ami-', 'Completed'), /^ami-/)
  await visit(page, '/ec2/images')
  const other = await act('Import image')
  await choose(/^Source/, 'A snapshot')
  await choose(/^Snapshot ID/, /From the old server/)
  await other.getByLabel(/^Description/).fill('Of a snapshot')
  await submit('Import image')
  const both = await finished(2)
  assert.ok(both.includes(file))
  const { Images } = await api.send(new ec2.DescribeImagesCommand({ ImageIds: both }))
  assert.deepEqual(Images!.map(one => one.State), ['available', 'available'])
})
/** The images of so many finished imports. */
async function finished(count: number): Promise<string[]> {
  const row = page.getByRole('row').filter({ hasText: 'import-ami-' }).filter({ hasText: 'Completed' })
  await row.nth(count - 1).waitFor()
  return row.getByRole('link', { name: /^ami-/ }).allInnerTexts()
}

test('an image of two disks is imported: the second becomes a volume beside its root', async () => {
  await objects.send(new s3.PutObjectCommand({ Bucket, Key: 'disks/data.raw', Body: randomBytes(BLOCK_BYTES) }))
  await visit(page, '/ec2/images')
  const dialog = await act('Import image')
  await choose(/^Bucket name/, Bucket)
  await dialog.getByLabel(/^Object key(?!s)/).fill('disks/web.raw')
  await dialog.getByLabel(/^Object keys of further disks/).fill('disks/data.raw\n')
  await dialog.getByLabel(/^Description/).fill('Of two disks')
  await submit('Import image')
  const ids = await finished(3)
  const { Images } = await api.send(new ec2.DescribeImagesCommand({ ImageIds: ids }))
  assert.deepEqual(Images!.map(one => one.BlockDeviceMappings!.filter(mapping => mapping.Ebs).length).sort(), [1, 1, 2])
})

test('an AMI is exported to a bucket, stored in it and restored from it', async () => {
  await visit(page, '/ec2/image-tasks')
  const [id] = await finished(2)
  await visit(page, `/ec2/images/${id}`)
  const dialog = await act('Export image')
  await choose(/^Bucket name/, Bucket)
  await dialog.getByLabel(/^Prefix/).fill('out/')
  await choose(/^Disk image format/, 'VMDK')
  await submit('Export image')
  await task('s3://course-files/out/', 'Completed')
  await visit(page, `/ec2/images/${id}`)
  await act('Store AMI in an S3 bucket')
  await submit('Store AMI in an S3 bucket')
  await task(`s3://course-files/${id}.bin`, 'Completed')
  const { Contents } = await objects.send(new s3.ListObjectsV2Command({ Bucket }))
  const names = Contents!.map(one => one.Key!)
  assert.ok(names.includes(`${id}.bin`) && names.some(name => /^out\/export-ami-.*\.vmdk$/.test(name)), names.join())
  await visit(page, '/ec2/images')
  const form = await act('Restore AMI from an S3 bucket')
  await form.getByLabel(/^Object key/).fill(`${id}.bin`)
  await form.getByLabel(/^Image name/).fill('brought back')
  await submit('Restore AMI from an S3 bucket')
  await page.getByRole('row').filter({ hasText: 'brought back' }).getByText('Available').waitFor()
})

test('an import under way is cancelled, and leaves nothing', async () => {
  const { disks } = world.server.engine
  const { fill } = disks
  let [release, begun] = [() => {}, () => {}]
  const [held, filling] = [new Promise<void>(done => { release = done }), new Promise<void>(done => { begun = done })]
  disks.fill = async (...given) => {
    begun()
    await held
    return fill.apply(disks, given)
  }
  const before = (await api.send(new ec2.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots!.length
  await objects.send(new s3.PutObjectCommand({ Bucket, Key: 'disks/long.raw', Body: randomBytes(1000) }))
  await visit(page, '/ec2/snapshots')
  const dialog = await act('Import snapshot')
  await dialog.getByLabel(/^Object key/).fill('disks/long.raw')
  await submit('Import snapshot')
  const row = await task('disks/long.raw', 'In progress')
  await filling
  await row.getByRole('checkbox').check()
  await act('Cancel import task')
  await submit('Cancel import task')
  await task('disks/long.raw', 'Deleted')
  release()
  disks.fill = fill
  await world.server.cloud.loop.idle()
  const { Snapshots } = await api.send(new ec2.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
  assert.equal(Snapshots!.length, before)
})
