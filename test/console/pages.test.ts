/** Every page, in both languages, in a real browser: it shows, nothing breaks, and a screen reader finds its way (axe). */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { violations } from './axe.ts'
import { openBrowser, openSeat, openWorld, settle, shot, signIn, visit, type Language, type World } from './kit.ts'
import { isForm, pictureOf, placesOf } from './places.ts'
import { seed } from './seed.ts'

let world: World
let browser: Browser
let places: string[]

before(async () => {
  world = await openWorld()
  browser = await openBrowser()
  places = placesOf(await seed(world))
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
const SHOWN = /The command and the code for this|La commande et le code correspondants/

suite('every page', { concurrency: true }, () => {
  for (const { language, dark } of looks) {
    test(`shows in ${language}, ${dark ? 'dark' : 'light'}, and axe finds nothing; nothing is asked of elsewhere`, async t => {
      const { context, page, errors } = await openSeat(browser, { language, dark })
      await page.goto(world.url)
      await settle(page)
      await shot(page, `${language}-sign-in`)
      const wrong: string[] = await faults(page, 'sign-in')
      await signIn(page, { url: world.url, language })
      errors.length = 0
      const began = Date.now()
      let looking = 0
      for (const place of places) {
        await visit(page, place)
        await shot(page, `${language}-${pictureOf(place)}`)
        const before = Date.now()
        wrong.push(...await faults(page, place))
        looking += Date.now() - before
      }
      t.diagnostic(`${places.length} pages in ${Date.now() - began} ms, ${looking} ms of it with axe`)
      assert.deepEqual([wrong, errors], [[], []])
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
