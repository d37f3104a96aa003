/** What holds for the whole account: shown as it is, changed by its form, followed when others change it, over the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import type { Browser, Locator, Page } from 'playwright-core'
import { handsOf } from './hands.ts'
import { openBrowser, openSeat, openWorld, signIn, visit, type World } from './kit.ts'

let browser: Browser
let world: World
let page: Page
let api: ec2.EC2Client
before(async () => {
  [browser, world] = [await openBrowser(), await openWorld()]
  page = (await openSeat(browser, { language: 'fr' })).page
  await signIn(page, { url: world.url, language: 'fr' })
  api = world.server.ec2()
  await visit(page, '/ec2/settings')
})
after(async () => {
  await browser.close()
  await world.close()
})

/** The value of a fact of the page. */
const fact = (name: string): Locator => page.locator('dl > div').filter({ has: page.locator('dt', { hasText: name }) }).locator('dd')
const form = async (name: string): Promise<Locator> => {
  await page.getByRole('button', { name, exact: true }).click()
  return page.getByRole('dialog')
}
const { submit, choose } = handsOf(() => page)
const level = async (): Promise<object> => (await api.send(new ec2.GetInstanceMetadataDefaultsCommand({}))).AccountLevel!

test('defaults of metadata come one by one, and go again', async () => {
  const name = 'Gérer les valeurs IMDS par défaut'
  assert.equal(await fact('Version des métadonnées').innerText(), 'Aucune préférence')
  const dialog = await form(name)
  assert.ok(await dialog.getByRole('button', { name, exact: true }).isDisabled(), 'nothing was changed yet')
  await choose(/^Version des métadonnées/, 'V2 uniquement (jeton requis)')
  await dialog.getByLabel(/^Limite de sauts/).fill('3')
  await submit(name)
  await fact('Version des métadonnées').getByText('V2 uniquement (jeton requis)').waitFor()
  await fact('Limite de sauts').getByText('3', { exact: true }).waitFor()
  assert.deepEqual(await level(), { HttpTokens: 'required', HttpPutResponseHopLimit: 3, ManagedBy: 'account' })
  await (await form(name)).getByLabel(/^Limite de sauts/).fill('')
  await choose(/^Version des métadonnées/, 'Aucune préférence')
  await submit(name)
  await fact('Limite de sauts').getByText('Aucune préférence').waitFor()
  assert.deepEqual(await level(), {})
})

test('a hop limit that is none is refused in the form, with the words of the API, and changes nothing', async () => {
  const dialog = await form('Gérer les valeurs IMDS par défaut')
  await dialog.getByLabel(/^Limite de sauts/).fill('65')
  await dialog.getByRole('button', { name: 'Gérer les valeurs IMDS par défaut', exact: true }).click()
  await dialog.getByText(/InvalidParameterValue/).waitFor()
  await dialog.getByRole('button', { name: 'Annuler' }).click()
  assert.deepEqual(await level(), {})
})

test('public access to snapshots and AMIs is blocked and allowed again, and what others change shows by itself', async () => {
  const [snapshots, images] = ["Gérer le blocage de l'accès public aux instantanés EBS", "Gérer le blocage de l'accès public aux AMI"]
  await form(snapshots)
  await choose(/^Accès public/, 'Tout accès public bloqué')
  await submit(snapshots)
  await (await form(images)).getByRole('checkbox').check()
  await submit(images)
  await fact('Accès public').getByText('Tout accès public bloqué').waitFor()
  await fact('Accès public').getByText('Nouveau partage public bloqué').waitFor()
  const { State } = await api.send(new ec2.GetSnapshotBlockPublicAccessStateCommand({}))
  const { ImageBlockPublicAccessState } = await api.send(new ec2.GetImageBlockPublicAccessStateCommand({}))
  assert.deepEqual([State, ImageBlockPublicAccessState], ['block-all-sharing', 'block-new-sharing'])
  await api.send(new ec2.DisableSnapshotBlockPublicAccessCommand({}))
  await fact('Accès public').getByText('Autorisé').waitFor()
  await (await form(images)).getByRole('checkbox').uncheck()
  await submit(images)
  await fact('Accès public').getByText('Nouveau partage public bloqué').waitFor({ state: 'detached' })
})

test('access to serial consoles is given and taken', async () => {
  const name = "Gérer l'accès à la console série EC2"
  const now = async () => (await api.send(new ec2.GetSerialConsoleAccessStatusCommand({}))).SerialConsoleAccessEnabled
  await (await form(name)).getByRole('checkbox').check()
  await submit(name)
  await fact('Accès').getByText('Activé', { exact: true }).waitFor()
  assert.equal(await now(), true)
  await (await form(name)).getByRole('checkbox').uncheck()
  await submit(name)
  await fact('Accès').getByText('Désactivé', { exact: true }).waitFor()
  assert.equal(await now(), false)
})

test('the default VPC is named on the page and on the dashboard, which leads here', async () => {
  const { Vpcs } = await api.send(new ec2.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }))
  await fact('VPC par défaut').getByRole('link', { name: Vpcs![0]!.VpcId! }).waitFor()
  await visit(page, '/')
  await fact('VPC par défaut').getByRole('link', { name: Vpcs![0]!.VpcId! }).waitFor()
  await page.getByRole('link', { name: 'Protection et sécurité des données' }).click()
  await page.getByRole('heading', { level: 1, name: 'Paramètres' }).waitFor()
})
