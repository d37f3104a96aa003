/** The course's story in the console, in real Chromium on the real engine, in French and in English: sign in, launch, open, four ways in. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openSeat, shot, signIn, type Language, type Seat } from '../console/kit.ts'
import { Enclume, eventually, launcher, visit } from './enclume.ts'

const BOOT_MS = 300_000
const words = {
  fr: {
    create: 'Créer une paire de clés',
    keyName: 'Nom de la paire de clés',
    ssh: 'Autoriser le trafic SSH depuis',
    http: "Autoriser le trafic HTTP depuis l'Internet",
    https: "Autoriser le trafic HTTPS depuis l'Internet",
    template: 'Serveur Node.js (Express, port 80)',
    name: 'Nom',
    role: 'Rôle IAM',
    launch: "Lancer l'instance",
    done: /initié avec succès/,
    open: /^Ouvrir http:/,
    connect: 'Se connecter',
    ssm: 'Gestionnaire de session',
    client: 'Client SSH',
    serial: 'Console série EC2',
    enable: 'Activer la console série pour ce compte',
    leave: 'Se déconnecter',
    running: "En cours d'exécution",
  },
  en: {
    create: 'Create new key pair',
    keyName: 'Key pair name',
    ssh: 'Allow SSH traffic from',
    http: 'Allow HTTP traffic from the internet',
    https: 'Allow HTTPS traffic from the internet',
    template: 'Web page (httpd, port 80)',
    name: 'Name',
    role: 'IAM Role',
    launch: 'Launch instance',
    done: /Successfully initiated/,
    open: /^Open http:/,
    connect: 'Connect',
    ssm: 'Session Manager',
    client: 'SSH client',
    serial: 'EC2 serial console',
    enable: 'Turn the serial console on for this account',
    leave: 'Disconnect',
    running: 'Running',
  },
}

let enclume: Enclume
let browser: Browser
let password: string
const launched: Partial<Record<Language, string>> = {}
/** Of this run, whatever an earlier one has left in the home. */
const run = randomBytes(3).toString('hex')
const MANAGED = `managed-${run}`
const CORE = 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore'
const keyOf = (language: Language): string => `console-${language}-${run}`
const iam = async (...args: string[]) => assert.equal((await enclume.aws('iam', ...args)).code, 0, args.join(' '))

before(
  async () => {
    enclume = await Enclume.up()
    password = (await launcher('password', '--home', enclume.home.dir)).trim()
    browser = await openBrowser()
    const trust = join(enclume.dir, 'trust.json')
    const Principal = { Service: 'ec2.amazonaws.com' }
    writeFileSync(trust, JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] }))
    await iam('create-role', '--role-name', MANAGED, '--assume-role-policy-document', `file://${trust}`)
    await iam('attach-role-policy', '--role-name', MANAGED, '--policy-arn', CORE)
    await iam('create-instance-profile', '--instance-profile-name', MANAGED)
    await iam('add-role-to-instance-profile', '--instance-profile-name', MANAGED, '--role-name', MANAGED)
  },
  { timeout: 900_000 },
)

/** Leaves the home as it was: whatever runs after it may count. */
after(
  async () => {
    await browser?.close()
    const ids = Object.values(launched)
    if (ids.length > 0) {
      const groups = await Promise.all(ids.map(async id => (await enclume.instance(id)).SecurityGroups[0].GroupId as string))
      await enclume.ec2('terminate-instances', '--instance-ids', ...ids)
      await Promise.all(ids.map(id => enclume.state(id, 'terminated')))
      for (const group of groups) await enclume.ec2('delete-security-group', '--group-id', group)
    }
    for (const language of ['fr', 'en'] as const) await enclume.aws('ec2', 'delete-key-pair', '--key-name', keyOf(language))
    for (const call of [
      ['remove-role-from-instance-profile', '--instance-profile-name', MANAGED, '--role-name', MANAGED],
      ['delete-instance-profile', '--instance-profile-name', MANAGED], ['detach-role-policy', '--role-name', MANAGED, '--policy-arn', CORE],
      ['delete-role', '--role-name', MANAGED],
    ]) await enclume.aws('iam', ...call)
    enclume?.close()
  },
  { timeout: 120_000 },
)

const url = () => `http://127.0.0.1:${enclume.home.consolePort}`

async function launch({ page }: Seat, language: Language): Promise<string> {
  const w = words[language]
  await page.goto(`${url()}/ec2/instances/launch`)
  await page.getByLabel(w.name, { exact: true }).first().fill(`console-${language}`)
  await page.getByRole('button', { name: w.create }).click()
  await page.getByRole('dialog').getByLabel(w.keyName).fill(keyOf(language))
  const make = page
    .getByRole('dialog')
    .locator('button')
    .filter({ hasText: language === 'fr' ? 'Créer une paire de clés' : 'Create key pair' })
  await Promise.all([page.waitForEvent('download'), make.click()])
  assert.ok(await page.getByRole('checkbox', { name: w.ssh }).isChecked())
  await page.getByRole('checkbox', { name: w.http }).check()
  await page.getByRole('checkbox', { name: w.https }).check()
  await page.getByRole('button', { name: w.template }).click()
  await page.getByLabel(w.role).first().click()
  await page.getByRole('option', { name: MANAGED }).click()
  await shot(page, `real-${language}-launch`)
  await page.getByRole('button', { name: w.launch, exact: true }).click()
  await page.getByText(w.done).first().waitFor()
  const id = /i-[0-9a-f]{17}/.exec(page.url())![0]
  launched[language] = id
  return id
}

/** What the terminal shows, however its lines are broken. */
const screen = async (page: Page): Promise<string> => (await page.locator('.xterm-rows').innerText()).replaceAll('\u00a0', ' ')

async function type(page: Page, { command, wanted, what }: { command: string; wanted: RegExp; what: string }): Promise<void> {
  await page.locator('.xterm').waitFor()
  const prompt = async () => (await screen(page).catch(() => '')).trim() !== ''
  await eventually(prompt, { what: `${what}: a prompt`, timeoutMs: 60_000 }).catch(async error => {
    await shot(page, `failed-${what}`)
    throw error
  })
  await page.locator('.xterm').click()
  await page.keyboard.type(command)
  await page.keyboard.press('Enter')
  await eventually(async () => wanted.test(await screen(page)), { what, timeoutMs: 30_000 }).catch(async error => {
    await shot(page, `failed-${what}`)
    throw new Error(await screen(page), { cause: error })
  })
}

async function connect({ page }: Seat, language: Language, id: string): Promise<void> {
  const w = words[language]
  await page.goto(`${url()}/ec2/instances/${id}/connect`)
  const begin = () => page.getByRole('tabpanel').getByRole('button', { name: w.connect, exact: true }).click()
  const end = () => page.getByRole('button', { name: w.leave, exact: true }).click()
  await begin()
  await type(page, { command: 'echo $((40+2))-$(whoami)', wanted: /42-ec2-user/, what: `${language}-instance-connect` })
  await shot(page, `real-${language}-instance-connect`)
  await end()
  await page.getByRole('tab', { name: w.ssm }).click()
  await begin()
  await type(page, { command: 'echo $((40+2))-$(whoami)-$(sudo id -un)', wanted: /42-ssm-user-root/, what: `${language}-session-manager` })
  await shot(page, `real-${language}-session-manager`)
  await end()
  await page.getByRole('tab', { name: w.client }).click()
  const { PublicIpAddress } = await enclume.instance(id)
  await page.getByText(`ssh -i "${keyOf(language)}.pem" ec2-user@${PublicIpAddress}`).waitFor()
  await shot(page, `real-${language}-ssh-client`)
  await page.getByRole('tab', { name: w.serial }).click()
  const enable = page.getByRole('button', { name: w.enable })
  await enable
    .or(page.getByRole('tabpanel').getByRole('button', { name: w.connect, exact: true }))
    .first()
    .waitFor()
  if (await enable.isVisible()) await enable.click()
  await begin()
  await page.locator('.xterm').click()
  await page.keyboard.press('Enter')
  await type(page, { command: 'nobody-in-particular', wanted: /nobody-in-particular[\s\S]*Password/, what: `${language}-serial-console` })
  await shot(page, `real-${language}-serial-console`)
}

/** Two launch pages at once would name their new groups alike. */
let last: Promise<unknown> = Promise.resolve()
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work)
  last = mine.catch(() => {})
  return mine
}

// Together: one waits for its packages while the other is looked at.
suite('the story', { concurrency: true }, () => {
  for (const language of ['fr', 'en'] as const) {
    test(`in ${language}`, { timeout: BOOT_MS * 2 }, async () => {
      const seat = await openSeat(browser, { language })
      const { page } = seat
      await signIn(page, { url: url(), language, password })
      const id = await inTurn(() => launch(seat, language))
      await page.getByText(words[language].running).first().waitFor({ timeout: 60_000 })
      await page.getByRole('link', { name: words[language].open }).waitFor({ timeout: BOOT_MS })
      // DHCP, IMDS, user data, ready: no phase stays grey once the port answers, however much the script has printed.
      await page.locator('[class*="awsui_status-pending"]').first().waitFor({ state: 'detached', timeout: 20_000 })
      await shot(page, `real-${language}-launched`)
      const link = await page.getByRole('link', { name: words[language].open }).getAttribute('href')
      // A web server of the distribution's answers from its installation on: the page is written after it.
      await eventually(async () => /Hello World/.test(await visit(link!)), { what: 'Hello World', timeoutMs: 60_000 })
      await connect(seat, language, id)
      for (const [name, path] of Object.entries({
        logs: `/ec2/instances/${id}/logs`,
        instance: `/ec2/instances/${id}`,
        instances: '/ec2/instances',
        home: '/',
      })) {
        await page.goto(url() + path)
        await page.locator('h1').first().waitFor()
        await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {}) // The live stream keeps the network busy.
        await shot(page, `real-${language}-${name}`)
      }
      await seat.context.close()
    })
  }
})

test("without the role's permission there is no session", { timeout: BOOT_MS }, async () => {
  const id = launched.en!
  await iam('detach-role-policy', '--role-name', MANAGED, '--policy-arn', CORE)
  const seat = await openSeat(browser, { language: 'en' })
  await signIn(seat.page, { url: url(), language: 'en', password })
  await seat.page.goto(`${url()}/ec2/instances/${id}/connect?kind=ssm`)
  await seat.page.getByRole('tabpanel').getByRole('button', { name: 'Connect', exact: true }).click()
  await seat.page.getByText(/TargetNotConnected/).first().waitFor()
  await seat.context.close()
})

test('EC2 Instance Connect goes through the groups', { timeout: BOOT_MS }, async () => {
  const id = launched.en!
  const { SecurityGroups } = await enclume.instance(id)
  const rule = ['--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0']
  await enclume.ec2('revoke-security-group-ingress', '--group-id', SecurityGroups[0].GroupId, ...rule)
  const seat = await openSeat(browser, { language: 'en' })
  await signIn(seat.page, { url: url(), language: 'en', password })
  await seat.page.goto(`${url()}/ec2/instances/${id}/connect`)
  await seat.page.getByRole('tabpanel').getByRole('button', { name: 'Connect', exact: true }).click()
  await seat.page.getByText('The connection has ended.').waitFor({ timeout: 30_000 })
  await seat.context.close()
})
