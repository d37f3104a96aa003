/**
 * What was promised of the console: how much script its first page loads, beside all that it has, and how soon a thousand instances (of the fake
 * engine) show and are filtered, beside what asking for them takes the SDK alone. Needs a Chromium.
 */
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildConsole } from '#launch/console'
import { firstScript, LIMITS, lookThroughThousand, ROOMY } from '../console/figures.ts'
import { openBrowser, openSeat, openWorld, signIn } from '../console/kit.ts'

const tell = (what: string, figure: string, isMet = true): void => {
  console.log(`${what.padEnd(34)} ${figure}${isMet ? '' : '   MISSED'}`)
  if (!isMet) process.exitCode = 1
}

const [browser, world] = [await openBrowser(), await openWorld(ROOMY)]
try {
  const first = await firstScript(browser, world)
  const dir = await buildConsole()
  const whole = globSync('assets/*.js.br', { cwd: dir }).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
  tell('all script, compressed', `${(whole / 1000).toFixed(0)} KB`)
  tell('that of the first page', `${(first / 1000).toFixed(0)} KB   ratio ${(first / whole).toFixed(2)} (promised ${LIMITS.scriptBytes / 1000} KB)`,
    first < LIMITS.scriptBytes)
  const { page } = await openSeat(browser, { language: 'en' })
  await signIn(page, { url: world.url, language: 'en' })
  const { shown, all, filtered, asked } = await lookThroughThousand(page, world)
  const beside = (ms: number): string => `${ms} ms   ratio ${(ms / asked).toFixed(2)}`
  tell('the SDK alone asks for 1,000', `${asked} ms`)
  tell('the first of them show after', `${beside(shown)} (promised ${LIMITS.thousandMs} ms)`, shown < LIMITS.thousandMs)
  tell('all of them are there after', beside(all))
  tell('one of them is found after', `${beside(filtered)} (promised ${LIMITS.thousandMs} ms)`, filtered < LIMITS.thousandMs)
} finally {
  await browser.close()
  await world.close()
}
