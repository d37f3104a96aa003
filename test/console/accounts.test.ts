/** IAM's forms, in both languages: devices, boundaries, tags, versions, keys and passwords, over the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as iam from '@aws-sdk/client-iam'
import type { Browser, Locator, Page } from 'playwright-core'
import { codeAt, stepAt } from '#identity/totp'
import { fromBase32, readQr } from '../authenticator.ts'
import { keys } from '../conformance/server.ts'
import { violations } from './axe.ts'
import { openSeat, shot, signIn, visit, type World } from './kit.ts'
import { openSeeded, type Seeded } from './seed.ts'

let browser: Browser
let world: World
let made: Seeded
let page: Page
let api: iam.IAMClient
before(async () => {
  ({ browser, world, made, page } = await openSeeded())
  api = new iam.IAMClient({ endpoint: world.server.url, region: 'us-east-1', credentials: keys })
})
after(async () => {
  api.destroy()
  await browser.close()
  await world.close()
})

/** Takes an action of the page; its dialog. */
async function act(name: string, on = page): Promise<Locator> {
  await on.getByRole('button', { name: 'Actions' }).click()
  await on.getByRole('menuitem', { name, exact: true }).click()
  return on.getByRole('dialog')
}
async function submit(name: string): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}
async function press(name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).and(page.locator(':not([disabled])')).click()
  await submit(name)
}
const table = (name: string): Locator => page.getByRole('table', { name, exact: true })

const device = {
  en: {
    assign: 'Assign MFA device', make: 'Create virtual MFA device', add: 'Add MFA', name: 'Device name', code: 'MFA code',
    list: 'Multi-factor authentication (MFA)',
  },
  fr: {
    assign: 'Attribuer un dispositif MFA', make: 'Créer un dispositif MFA virtuel', add: 'Ajouter MFA', name: 'Nom du dispositif', code: 'Code MFA',
    list: 'Authentification multifactorielle (MFA)',
  },
}
for (const [language, words] of Object.entries(device) as ['en' | 'fr', typeof device.en][]) {
  test(`a device is made, scanned, and tied to its user by two codes (${language})`, async () => {
    const { context, page: seat, errors } = await openSeat(browser, { language, dark: language === 'en' })
    await signIn(seat, { url: world.url, language })
    errors.length = 0
    await visit(seat, '/iam/users/create?tab=credentials')
    const dialog = await act(words.assign, seat)
    await dialog.getByLabel(words.name).fill(`phone-${language}`)
    await shot(seat, `${language}-mfa-name`)
    await dialog.getByRole('button', { name: words.make }).click()
    const seed = (await dialog.locator('[data-seed]').textContent())!
    const picture = Buffer.from((await dialog.getByRole('img').getAttribute('src'))!.replace('data:image/png;base64,', ''), 'base64')
    assert.equal(readQr(picture), `otpauth://totp/phone-${language}@${keys.account}?secret=${seed}`)
    const width = await dialog.getByRole('img').evaluate((image: any) => image.decode().then(() => image.naturalWidth))
    assert.ok(width > 100, 'the picture shows')
    const type = async (i: number, code: string) => dialog.getByLabel(`${words.code} ${i + 1}`).fill(code)
    await type(0, '12')
    await dialog.getByText(/^(A code is six digits|Un code a six chiffres)/).waitFor()
    await shot(seat, `${language}-mfa-codes`)
    assert.deepEqual(await violations(seat, { within: '[role=dialog]' }), [])
    for (const i of [0, 1]) await type(i, codeAt(fromBase32(seed), stepAt(new Date()) - 1 + i))
    await dialog.getByRole('button', { name: words.add, exact: true }).click()
    await seat.getByRole('table', { name: words.list }).getByText(`:mfa/phone-${language}`).waitFor()
    await shot(seat, `${language}-mfa-tied`)
    assert.deepEqual(errors, [])
    await context.close()
  })
}

test('codes that are not the device\'s are refused, and it stays to be assigned or deleted', async () => {
  await visit(page, '/iam/users/create?tab=credentials')
  const dialog = await act('Assign MFA device')
  await dialog.getByLabel('Device name').fill('lost')
  await dialog.getByRole('button', { name: 'Create virtual MFA device' }).click()
  for (const i of [1, 2]) await dialog.getByLabel(`MFA code ${i}`).fill('000000')
  await dialog.getByRole('button', { name: 'Add MFA', exact: true }).click()
  await dialog.getByText(/InvalidAuthenticationCode/).waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  const free = table("Virtual MFA devices that are nobody's")
  await free.getByRole('checkbox', { name: /^Select .*:mfa\/lost$/ }).check()
  await press('Delete')
  await free.getByText(':mfa/lost').waitFor({ state: 'detached' })
})

test('a device is taken from its user, and is nobody\'s then', async () => {
  await visit(page, '/iam/users/alice?tab=credentials')
  await table('Multi-factor authentication (MFA)').getByRole('checkbox', { name: /^Select .*:mfa\/phone$/ }).check()
  await press('Deactivate')
  await table("Virtual MFA devices that are nobody's").getByText(':mfa/phone').first().waitFor()
  assert.deepEqual((await api.send(new iam.ListMFADevicesCommand({ UserName: 'alice' }))).MFADevices, [])
})

test('a boundary is set, shown, and removed', async () => {
  await visit(page, '/iam/users/alice?tab=permissions')
  const dialog = await act('Change permissions boundary')
  const submits = dialog.getByRole('button', { name: 'Change permissions boundary', exact: true })
  assert.ok(await submits.isDisabled(), 'nothing was changed yet')
  await dialog.getByRole('button', { name: /^Policy that is the boundary/ }).click()
  await page.getByRole('option', { name: 'read-instances' }).click()
  await submit('Change permissions boundary')
  const shown = page.locator('dl').getByRole('link', { name: made.policy })
  await shown.waitFor()
  await act('Change permissions boundary')
  await dialog.getByRole('button', { name: /^Policy that is the boundary .*read-instances/ }).click()
  await page.getByRole('option', { name: '–' }).click()
  await submit('Change permissions boundary')
  await shown.waitFor({ state: 'detached' })
  assert.equal((await api.send(new iam.GetUserCommand({ UserName: 'alice' }))).User!.PermissionsBoundary, undefined)
})

test('tags of a role come, change and go', async () => {
  await api.send(new iam.TagRoleCommand({ RoleName: 'web-server', Tags: [{ Key: 'team', Value: 'web' }, { Key: 'old', Value: 'x' }] }))
  await visit(page, '/iam/roles/web-server?tab=tags')
  await page.getByRole('button', { name: 'Manage tags' }).click()
  const row = (name: string, i: number) => page.locator('main').getByRole('combobox', { name }).or(page.locator('main').getByLabel(name)).nth(i)
  await row('Value', 1).fill('shop')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^Remove/ }).first().click()
  await shot(page, 'en-iam-tags')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Tags saved').waitFor()
  assert.deepEqual((await api.send(new iam.ListRoleTagsCommand({ RoleName: 'web-server' }))).Tags, [{ Key: 'team', Value: 'shop' }])
  await page.getByRole('cell', { name: 'shop' }).waitFor()
})

test('a version of a policy is made beside the default one, made the default, and the old one deleted', async () => {
  await visit(page, `/iam/policies/${encodeURIComponent(made.policy)}?tab=versions`)
  const dialog = await act('Edit policy (new version)')
  await dialog.getByLabel('Set this new version as the default').uncheck()
  await submit('Edit policy (new version)')
  await table('Policy versions').getByRole('checkbox', { name: 'Select v2' }).check()
  await press('Set as default')
  await page.getByRole('row').filter({ hasText: 'v2' }).getByText('Yes').waitFor()
  await page.getByRole('button', { name: 'Version v1' }).click()
  await page.getByRole('region', { name: 'Version v1' }).getByText('ec2:Describe*').waitFor()
  await shot(page, 'en-policy-versions')
  await table('Policy versions').getByRole('checkbox', { name: 'Select v1' }).check()
  await press('Delete')
  await table('Policy versions').getByRole('checkbox', { name: 'Select v1' }).waitFor({ state: 'detached' })
  const { Versions } = await api.send(new iam.ListPolicyVersionsCommand({ PolicyArn: made.policy }))
  assert.deepEqual(Versions!.map(one => [one.VersionId, one.IsDefaultVersion]), [['v2', true]])
})

test('of a policy of AWS\'s own nothing is offered to be changed', async () => {
  await visit(page, `/iam/policies/${encodeURIComponent('arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess')}?tab=versions`)
  await table('Policy versions').getByRole('row').nth(1).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Set as default' }).count(), 0)
  await page.getByRole('tab', { name: 'Tags' }).click()
  await page.getByText('No tags').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Manage tags' }).count(), 0)
})

test('a role is told how long its sessions are at most', async () => {
  await visit(page, '/iam/roles/web-server?tab=details')
  const dialog = await act('Edit role')
  await dialog.getByLabel('Maximum session duration').fill('60')
  await dialog.getByText('It is 3600 to 43200 seconds.').waitFor()
  await dialog.getByLabel('Maximum session duration').fill('7200')
  await dialog.getByLabel('Description').fill('Of the web servers')
  await submit('Edit role')
  const { Role } = await api.send(new iam.GetRoleCommand({ RoleName: 'web-server' }))
  assert.deepEqual([Role!.MaxSessionDuration, Role!.Description], [7200, 'Of the web servers'])
})

test('a key is made inactive, and active again', async () => {
  const { AccessKey } = await api.send(new iam.CreateAccessKeyCommand({ UserName: 'alice' }))
  await visit(page, '/iam/users/alice?tab=credentials')
  const key = table('Access keys').getByRole('row').filter({ hasText: AccessKey!.AccessKeyId! })
  for (const [button, state] of [['Deactivate', 'Inactive'], ['Activate', 'Active']] as const) {
    await key.getByRole('checkbox').check()
    await press(button)
    await key.getByText(state, { exact: true }).waitFor()
    assert.equal((await api.send(new iam.ListAccessKeysCommand({ UserName: 'alice' }))).AccessKeyMetadata![0]!.Status, state)
  }
})

test('a user gets a password, must change it, and loses it', async () => {
  await visit(page, '/iam/users/alice')
  const profile = async () => (await api.send(new iam.GetLoginProfileCommand({ UserName: 'alice' }))).LoginProfile!.PasswordResetRequired
  const dialog = await act('Manage console access')
  await dialog.getByLabel('Password', { exact: true }).fill('Correct-Horse-1')
  await submit('Manage console access')
  assert.equal(await profile(), false)
  await act('Manage console access')
  await dialog.getByLabel(/^New password/).waitFor()
  await dialog.getByLabel('The user must create a new password at the next sign-in').check()
  await submit('Manage console access')
  assert.equal(await profile(), true)
  await act('Manage console access')
  await dialog.getByLabel(/^New password/).waitFor()
  await dialog.getByLabel('Console access enabled').uncheck()
  await submit('Manage console access')
  await assert.rejects(profile(), { name: 'NoSuchEntityException' })
})

test('a parameter that is a secret shows its value when somebody asks for it', async () => {
  await visit(page, '/ssm/parameters/%2Fshop%2Fdatabase?tab=value')
  const button = page.getByRole('button', { name: 'Show decrypted value' })
  await button.waitFor()
  assert.equal(await page.getByText('secret', { exact: true }).count(), 0)
  await button.click()
  await page.getByRole('region', { name: 'Value' }).getByText('secret', { exact: true }).waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'en-ssm-parameter-value')
})
