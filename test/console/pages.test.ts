/** Every page, in both languages, in a real browser: it shows, nothing breaks, and a screen reader finds its way (axe). */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import { openBrowser, openSeat, openWorld, settle, shot, signIn, visit, type Language, type World } from './kit.ts'
import { isForm, isNotBuilt, pictureOf, placesOf } from './places.ts'
import { MARKUP, seed } from './seed.ts'

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

const looks: { language: Language; dark?: boolean }[] = [{ language: 'fr' }, { language: 'en', dark: true }]

suite('every page', { concurrency: true }, () => {
  for (const { language, dark } of looks) {
    test(`shows in ${language}${dark ? ', in the dark' : ''}, and axe finds nothing serious`, async () => {
      const { context, page, errors } = await openSeat(browser, { language, dark })
      await page.goto(world.url)
      await settle(page)
      await shot(page, `${language}-sign-in`)
      await signIn(page, { url: world.url, language })
      errors.length = 0
      const wrong: string[] = []
      for (const place of places) {
        await visit(page, place)
        await shot(page, `${language}-${pictureOf(place)}`)
        for (const message of await page.locator('[class*="awsui_type-error"][class*="awsui_alert"]').allInnerTexts())
          wrong.push(`${place}: ${message}`)
        // In the dark the colours are other; forms and what is not there have no colours of their own.
        if (dark && (isForm(place) || isNotBuilt(place))) continue
        const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze()
        for (const { id, nodes } of violations) wrong.push(`${place}: ${id} at ${nodes[0]!.target.join(' ')}`)
        assert.notEqual(await page.title(), 'broken')
      }
      assert.deepEqual([wrong, errors], [[], []])
      await context.close()
    })
  }
})

test('stored markup is shown as text', async () => {
  const { context, page } = await openSeat(browser, { language: 'en' })
  await signIn(page, { url: world.url, language: 'en' })
  await visit(page, '/ec2/instances')
  await page.getByText(MARKUP).first().waitFor()
  assert.equal(await page.locator('img[src="x"]').count(), 0)
  await context.close()
})

test('on a narrow window nothing is wider than the window', async () => {
  const { context, page } = await openSeat(browser, { language: 'fr' })
  await page.setViewportSize({ width: 480, height: 900 })
  await signIn(page, { url: world.url, language: 'fr' })
  const wide: string[] = []
  for (const place of places.filter(p => !isForm(p))) {
    await visit(page, place)
    await shot(page, `narrow-${pictureOf(place)}`)
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
