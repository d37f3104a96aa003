/** A bucket's own forms: lifecycle rules, CORS, encryption, tags; and files on their way into it, over the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import type { Browser, Locator, Page } from 'playwright-core'
import { keys } from '../conformance/server.ts'
import { shot, visit, type World } from './kit.ts'
import { openSeeded } from './seed.ts'

const Bucket = 'course-files'
let browser: Browser
let world: World
let page: Page
let api: s3.S3Client
before(async () => {
  ({ browser, world, page } = await openSeeded())
  api = new s3.S3Client({ endpoint: world.server.url, region: 'us-east-1', credentials: keys, forcePathStyle: true })
})
after(async () => {
  api.destroy()
  await browser.close()
  await world.close()
})

/** Takes an action of the page; its dialog. */
async function act(name: string): Promise<Locator> {
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name, exact: true }).click()
  return page.getByRole('dialog')
}
async function submit(name: string): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}
const rules = async () => (await api.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules!
const row = (name: string): Locator => page.getByRole('table', { name: 'Lifecycle rules' }).getByRole('row').filter({ hasText: name })

test('a bucket\'s page leads to its properties, and they lead back', async () => {
  await visit(page, `/s3/buckets/${Bucket}`)
  await page.getByRole('link', { name: 'Properties' }).click()
  await page.getByRole('tab', { name: 'Lifecycle rules' }).waitFor()
  await page.getByRole('button', { name: 'Objects' }).click()
  await page.getByRole('checkbox', { name: 'Select read-me.txt' }).waitFor()
})

test('a lifecycle rule is made beside those that there are, changed, disabled, and deleted', async () => {
  await visit(page, `/s3/buckets/${Bucket}?tab=lifecycle`)
  const dialog = await act('Create lifecycle rule')
  await dialog.getByLabel('Lifecycle rule name').fill('logs')
  await dialog.getByLabel(/^Prefix/).fill('logs/')
  await dialog.getByLabel(/^Expire current versions/).fill('0')
  await dialog.getByText('A whole number, 1 or more.').waitFor()
  await dialog.getByLabel(/^Expire current versions/).fill('7')
  await dialog.getByLabel(/^Delete noncurrent versions/).fill('3')
  await dialog.getByLabel(/^Number of newer versions/).fill('2')
  await shot(page, 'en-new-rule')
  await submit('Create lifecycle rule')
  await row('logs').waitFor()
  await shot(page, 'en-rules')
  const now = await rules()
  assert.deepEqual(now.map(({ ID, Filter, Expiration, NoncurrentVersionExpiration: old }) => [ID, Filter!.Prefix, Expiration!.Days, old]), [
    ['old', 'old/', 30, undefined], ['kept', 'kept/', 30, undefined], ['logs', 'logs/', 7, { NoncurrentDays: 3, NewerNoncurrentVersions: 2 }],
  ])
  await row('logs').getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await dialog.getByLabel(/^Expire current versions/).fill('9')
  await submit('Edit')
  await row('logs').getByRole('cell', { name: '9', exact: true }).waitFor()
  await row('logs').getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Disable', exact: true }).click()
  await submit('Disable')
  await row('logs').getByText('Disabled').waitFor()
  for (const name of ['old', 'kept', 'logs']) await row(name).getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await submit('Delete')
  await page.getByText(/^None: nothing is deleted by itself/).waitFor()
  await assert.rejects(rules(), { name: 'NoSuchLifecycleConfiguration' })
})

test('a rule is made for tags and sizes, which are changed; a tag whose line is left is what it was', async () => {
  await visit(page, `/s3/buckets/${Bucket}?tab=lifecycle`)
  const dialog = await act('Create lifecycle rule')
  await dialog.getByLabel('Lifecycle rule name').fill('big')
  await dialog.getByLabel(/^Object tags/).fill('kind=log\na=b=c')
  await dialog.getByLabel(/^Larger than/).fill('1.5')
  await dialog.getByText('A whole number of bytes').waitFor()
  await dialog.getByLabel(/^Larger than/).fill('1000')
  await dialog.getByLabel(/^Expire current versions/).fill('7')
  await submit('Create lifecycle rule')
  await row('big').getByText(/kind=log/).waitFor()
  const Tags = [{ Key: 'kind', Value: 'log' }, { Key: 'a', Value: 'b=c' }]
  const filter = async () => (await rules())[0]!.Filter
  assert.deepEqual(await filter(), { And: { Tags, ObjectSizeGreaterThan: 1000 } })
  const odd = { And: { Tags: [{ Key: 'a=b', Value: 'c' }], ObjectSizeGreaterThan: 1000 } }
  const Rules: s3.LifecycleRule[] = [{ ID: 'big', Status: 'Enabled', Filter: odd, Expiration: { Days: 7 } }]
  await api.send(new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
  await visit(page, '/s3/buckets')
  await visit(page, `/s3/buckets/${Bucket}?tab=lifecycle`)
  await row('big').getByText(/a=b=c/).waitFor()
  await row('big').getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await dialog.getByLabel(/^Larger than/).fill('')
  await dialog.getByLabel(/^Smaller than/).fill('5000')
  await submit('Edit')
  await row('big').getByText(/< /).waitFor()
  assert.deepEqual(await filter(), { And: { Tags: odd.And.Tags, ObjectSizeLessThan: 5000 } })
})

test('what the form does not show of a rule stays as it is', async () => {
  const And = { Prefix: 'a/', Tags: [{ Key: 'team', Value: 'web' }], ObjectSizeGreaterThan: 10 }
  const rule: s3.LifecycleRule = { ID: 'odd', Status: 'Enabled', Filter: { And }, Expiration: { Date: new Date('2031-01-01') } }
  await api.send(new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [rule] } }))
  await visit(page, `/s3/buckets/${Bucket}?tab=lifecycle`)
  await row('odd').getByText('a/, team=web, > 10 B').waitFor()
  await row('odd').getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/^Prefix/).fill('')
  await dialog.getByLabel(/^Delete noncurrent versions/).fill('5')
  await submit('Edit')
  await row('odd').getByRole('cell', { name: '5', exact: true }).waitFor()
  const { Prefix: _, ...other } = And
  assert.deepEqual(await rules(), [{ ...rule, Filter: { And: other }, NoncurrentVersionExpiration: { NoncurrentDays: 5 } }])
})

test('CORS rules are written as JSON, and taken away; what is none can\'t be sent', async () => {
  await visit(page, `/s3/buckets/${Bucket}?tab=cors`)
  await page.getByRole('region', { name: /CORS/ }).getByText('https://shop.example').waitFor()
  const name = 'Edit cross-origin resource sharing (CORS)'
  const dialog = await act(name)
  const button = dialog.getByRole('button', { name, exact: true })
  const write = async (text: string): Promise<void> => {
    await dialog.locator('.ace_content').click()
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Delete')
    await page.keyboard.insertText(text)
  }
  await write('{}')
  await dialog.getByText('This is no list in JSON.').waitFor()
  assert.ok(await button.isDisabled())
  await write('[{"AllowedOrigins":["*"],"AllowedMethods":["GET","PUT"]}]')
  await submit(name)
  await page.getByRole('region', { name: /CORS/ }).getByText('PUT').waitFor()
  assert.deepEqual((await api.send(new s3.GetBucketCorsCommand({ Bucket }))).CORSRules, [{ AllowedOrigins: ['*'], AllowedMethods: ['GET', 'PUT'] }])
  await act(name)
  await dialog.getByText('"PUT"').first().waitFor()
  await write('')
  await submit(name)
  await page.getByText(/^No rules: pages of other origins/).waitFor()
  await assert.rejects(api.send(new s3.GetBucketCorsCommand({ Bucket })), { name: 'NoSuchCORSConfiguration' })
})

test('the default encryption is what there is', async () => {
  await visit(page, `/s3/buckets/${Bucket}?tab=details`)
  const dialog = await act('Edit default encryption')
  await dialog.getByRole('button', { name: /^Encryption type .*SSE-S3/ }).waitFor()
  await submit('Edit default encryption')
})

test('tags of a bucket come and go', async () => {
  await visit(page, `/s3/buckets/${Bucket}?tab=tags`)
  const tags = async () => (await api.send(new s3.GetBucketTaggingCommand({ Bucket }))).TagSet
  await page.getByRole('button', { name: 'Manage tags' }).click()
  await page.getByRole('button', { name: /^Add (new )?tag/ }).click()
  await page.getByRole('textbox', { name: 'Key' }).or(page.getByRole('combobox', { name: 'Key' })).last().fill('year')
  await page.keyboard.press('Escape')
  await page.getByRole('textbox', { name: 'Value' }).or(page.getByRole('combobox', { name: /Value/ })).last().fill('2026')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('cell', { name: '2026' }).waitFor()
  assert.deepEqual(await tags(), [{ Key: 'team', Value: 'web' }, { Key: 'year', Value: '2026' }])
  await page.getByRole('button', { name: 'Manage tags' }).click()
  for (let left = 2; left > 0; left--) await page.getByRole('button', { name: /^Remove/ }).first().click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('No tags').waitFor()
  await assert.rejects(tags(), { name: 'NoSuchTagSet' })
})

test('files are looked at before they are put, one left out, and what could not be put is told', async () => {
  await visit(page, `/s3/buckets/${Bucket}?prefix=pictures/`)
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  const dialog = page.getByRole('dialog')
  const file = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) })
  await dialog.locator('input[type=file]').setInputFiles(['one.txt', 'two.txt', 'three.txt'].map(file))
  await dialog.getByRole('button', { name: 'Leave out two.txt' }).click()
  await dialog.getByRole('button', { name: 'The command and the code for this' }).click()
  const command = (name: string) => `aws s3 cp ./${name} s3://${Bucket}/pictures/${name} \\\n  --content-type text/plain`
  assert.equal(await dialog.locator('pre').innerText(), ['one.txt', 'three.txt'].map(command).join('\n\n'))
  await shot(page, 'en-upload')
  const refused = '<Error><Code>InsufficientStorage</Code><Message>full</Message></Error>'
  await page.route(/three\.txt/, route => route.fulfill({ status: 507, contentType: 'application/xml', body: refused }))
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click()
  await dialog.getByText(/InsufficientStorage/).waitFor()
  assert.equal(await dialog.getByRole('button', { name: 'Leave out one.txt' }).count(), 0)
  await page.unrouteAll({ behavior: 'wait' })
  await submit('Upload')
  await page.getByRole('checkbox', { name: 'Select pictures/three.txt' }).or(page.getByRole('checkbox', { name: 'Select three.txt' })).waitFor()
  const { Contents } = await api.send(new s3.ListObjectsV2Command({ Bucket, Prefix: 'pictures/' }))
  assert.deepEqual(Contents!.map(one => one.Key), ['pictures/one.png', 'pictures/one.txt', 'pictures/three.txt'])
})
