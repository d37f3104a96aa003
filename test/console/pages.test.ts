/** Every page, in both languages, in a real browser: it shows, nothing breaks, and a screen reader finds its way (axe). */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { violations } from './axe.ts'
import { openBrowser, openSeat, openWorld, settle, shot, signIn, visit, type Language, type World } from './kit.ts'
import { isForm, isListing, pictureOf, placesOf } from './places.ts'
import { seed, type Seeded } from './seed.ts'

let world: World
let browser: Browser
let made: Seeded
let places: string[]

before(async () => {
  world = await openWorld()
  browser = await openBrowser()
  made = await seed(world)
  places = placesOf(made)
})
after(async () => {
  await browser.close()
  await world.close()
})

/** Colours are the same in both languages: each page is looked at in both of either. */
const looks: { language: Language; dark?: boolean }[] = [{ language: 'fr' }, { language: 'en', dark: true }]
/** What is wrong with the page: errors that it tells, what axe finds, and a form without the command and the code for it. */
async function faults(page: Page, place: string): Promise<string[]> {
  const told = await page.locator('[class*="awsui_type-error"][class*="awsui_alert"]').allInnerTexts()
  const found = await violations(page, { framed: place === '/' || place === 'sign-in' })
  const silent = isForm(place) && await page.getByRole('button', { name: SHOWN }).count() !== 1 ? ['no command is shown'] : []
  return [...told, ...silent, ...found.map(({ id, target }) => `${id} at ${target}`)].map(fault => `${place}: ${fault}`)
}
/** Where the first row of a listing leads, if anywhere. */
async function firstIn(page: Page, list: string): Promise<string | undefined> {
  const link = page.locator(`tbody a[href^="${list}/"]`).first()
  return await link.count() > 0 ? (await link.getAttribute('href'))! : undefined
}
/** What a page is still drawing when it is looked at is no fault: only what stays is. */
async function lasting(page: Page, place: string): Promise<string[]> {
  for (let looks = 1; ; looks++) {
    const found = await faults(page, place)
    if (found.length === 0 || looks === 3) return found
    await settle(page)
  }
}
const SHOWN = /The command and the code for this|La commande et le code correspondants/

suite('every page', { concurrency: true }, () => {
  for (const { language, dark } of looks) {
    test(`shows in ${language}, ${dark ? 'dark' : 'light'}, and axe finds nothing; nothing is asked of elsewhere`, async t => {
      const { context, page, errors } = await openSeat(browser, { language, dark })
      await page.goto(world.url)
      await settle(page)
      await shot(page, `${language}-sign-in`)
      const wrong: string[] = await lasting(page, 'sign-in')
      await signIn(page, { url: world.url, language })
      errors.length = 0
      const began = Date.now()
      let looking = 0
      // A place may lead to more: each listing to the page of its first thing.
      const all = [...places]
      for (const place of all) {
        await visit(page, place)
        await shot(page, `${language}-${pictureOf(place)}`)
        const before = Date.now()
        wrong.push(...await lasting(page, place))
        looking += Date.now() - before
        const first = isListing(place) ? await firstIn(page, place) : undefined
        if (first && !all.includes(first)) all.push(first)
      }
      t.diagnostic(`${all.length} pages in ${Date.now() - began} ms, ${looking} ms of it with axe`)
      assert.deepEqual([wrong, errors], [[], []])
      await context.close()
    })
  }
})

const DIALOG = '[role=dialog]:not([class*="awsui_hidden"]):not([class*="awsui_dropdown"])'
/** What opens over a page, by the words of a browser's language: the page, which rows are chosen, and what is pressed one after the other. */
const overs: { name: string; place: string; rows?: number[]; press: [fr: string, en: string][] }[] = [
  { name: 'preferences', place: '/ec2/instances', press: [['Préférences', 'Preferences']] },
  { name: 'delete-typed', place: '/ec2/volumes', rows: [2], press: [['Actions', 'Actions'], ['Supprimer le volume', 'Delete volume']] },
  { name: 'form', place: '/ec2/volumes', rows: [2], press: [['Actions', 'Actions'], ['Modifier le volume', 'Modify volume']] },
  { name: 'settings', place: '/ec2/settings', press: [['Gérer les valeurs IMDS par défaut', 'Manage IMDS defaults']] },
  { name: 'import', place: '/ec2/images', press: [['Actions', 'Actions'], ['Importer une image', 'Import image']] },
  { name: 'compare', place: '/ec2/instance-types', rows: [1, 2], press: [['Comparer', 'Compare']] },
  {
    name: 'boundary', place: '/iam/roles', rows: [1],
    press: [['Actions', 'Actions'], ["Modifier la limite d'autorisations", 'Change permissions boundary']],
  },
  {
    name: 'console-access', place: '/iam/users', rows: [1],
    press: [['Actions', 'Actions'], ["Gérer l'accès à la console", 'Manage console access']],
  },
  {
    name: 'rule', place: '/s3/buckets', rows: [1],
    press: [['Actions', 'Actions'], ['Créer une règle de cycle de vie', 'Create lifecycle rule']],
  },
  { name: 'upload', place: '/s3/buckets/course-files', press: [['Charger', 'Upload']] },
  { name: 'new-key', place: '/ec2/instances/launch', press: [['Créer une paire de clés', 'Create new key pair']] },
]

suite('what opens over a page', { concurrency: true }, () => {
  for (const { language, dark } of looks) {
    test(`has nothing that axe finds in ${language}, ${dark ? 'dark' : 'light'}`, async () => {
      const { context, page } = await openSeat(browser, { language, dark })
      await signIn(page, { url: world.url, language })
      const wrong: string[] = []
      for (const { name, place, rows = [], press } of overs) {
        await visit(page, place)
        for (const i of rows) await page.getByRole('checkbox').nth(i).check()
        for (const words of press) {
          const called = { name: words[language === 'fr' ? 0 : 1], exact: true }
          await page.getByRole('button', called).or(page.getByRole('menuitem', called)).first().click()
        }
        await page.locator(DIALOG).first().waitFor()
        await settle(page)
        await shot(page, `${language}-over-${name}`)
        wrong.push(...(await violations(page, { within: DIALOG })).map(({ id, target }) => `${name}: ${id} at ${target}`))
        await page.keyboard.press('Escape')
      }
      assert.deepEqual(wrong, [])
      await context.close()
    })
  }
})

test('on a narrow window nothing is wider than the window', async () => {
  const { context, page } = await openSeat(browser, { language: 'fr' })
  await page.setViewportSize({ width: 480, height: 900 })
  await signIn(page, { url: world.url, language: 'fr' })
  const wide: string[] = []
  for (const place of places.filter(p => !isForm(p))) {
    await visit(page, place)
    if (!place.includes('?tab=')) await shot(page, `narrow-${pictureOf(place)}`)
    const width = await page.evaluate('document.documentElement.scrollWidth') as number
    if (width > 480) wide.push(`${place}: ${width}`)
  }
  assert.deepEqual(wide, [])
  await context.close()
})

test('what there is none of says what it is for, and how to make one', async () => {
  const { context, page } = await openSeat(browser, { language: 'fr' })
  await signIn(page, { url: world.url, language: 'fr' })
  await page.evaluate("localStorage.setItem('enclume-region', 'eu-west-3')")
  await page.reload()
  await settle(page)
  const silent: string[] = []
  for (const place of ['instances', 'volumes', 'snapshots', 'addresses', 'key-pairs', 'network-interfaces'].map(name => `/ec2/${name}`)) {
    await visit(page, place)
    await shot(page, `empty-${pictureOf(place)}`)
    if (!/Auc/.test(await page.locator('main').innerText())) silent.push(place)
  }
  assert.deepEqual(silent, [])
  await context.close()
})

/** Where the course, and its glossary, lead their reader, and the words by which they do. */
const course = (instance: string, group: string): Record<string, (string | RegExp)[]> => ({
  '/': [
    'EC2', 'Instances', 'Demandes Spot', 'Savings Plans', 'Instances réservées', 'Hôtes dédiés', 'Réservations de capacité', 'Réseau et sécurité',
    'Groupes de sécurité', 'Adresses IP élastiques', 'Groupes de placement', 'Paires de clés', 'Interfaces réseau', 'Groupes cibles', 'Trust stores',
    'Auto Scaling', 'Lancer une instance',
  ],
  '/ec2/instances/launch': [
    'Lancer une instance', /^Autoriser le trafic SSH/, "Autoriser le trafic HTTP depuis l'Internet", "Autoriser le trafic HTTPS depuis l'Internet",
    'Données utilisateur', 'Paire de clés (connexion)', 'Configurer le stockage',
  ],
  [instance]: [
    'Adresse IPv4 publique', 'Adresse IPv4 privée', "Type de nom d'hôte", 'DNS IPv4 public', "ARN de l'instance", 'ID de sous-réseau',
    'IMDSv2', 'Managed',
  ],
  [`${instance}/connect`]: ["Connectez-vous à l'instance", 'Client SSH', 'EC2 Instance Connect', 'Gestionnaire de session', 'Console série EC2'],
  [`${group}/inbound`]: ['Type', 'Protocole', 'Plage de ports', 'Source'],
  [`${group}/outbound`]: ['Type', 'Protocole', 'Plage de ports', 'Destination'],
  '/ec2/instance-types': ['vCPU'],
})

test("the course's words are found in French, where it leads", async () => {
  const { context, page } = await openSeat(browser, { language: 'fr' })
  await signIn(page, { url: world.url, language: 'fr' })
  const told = course(`/ec2/instances/${made.instance}`, `/ec2/security-groups/${made.group}`)
  const lost: string[] = []
  for (const [place, names] of Object.entries(told)) {
    await visit(page, place)
    for (const name of names) if (await page.getByText(name, { exact: true }).count() === 0) lost.push(`${place}: ${name}`)
  }
  assert.deepEqual(lost, [])
  await context.close()
})
