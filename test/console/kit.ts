/** The console's door over the fake engine, and a real Chromium in front of it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page, type Request } from 'playwright-core'
import { openPage } from '#page'
import { buildConsole } from '#launch/console'
import { keys, openServer, type TestOptions, type TestServer } from '../conformance/server.ts'

export const PASSWORD = 'the root user of the tests'
export const SHOTS = join(import.meta.dirname, '../../.state/console-shots')

export type World = { server: TestServer; url: string; close(): Promise<void> }

export async function openWorld(options: Partial<TestOptions> & { port?: number } = {}): Promise<World> {
  const server = await openServer(options)
  const runDir = mkdtempSync(join(tmpdir(), 'enclume-console-'))
  const door = openPage({
    cloud: server.cloud,
    root: keys,
    wire: server.wire.server,
    dir: await buildConsole(),
    version: 'test',
    endpoint: server.url,
    runDir,
    isRootPassword: async password => password === PASSWORD,
  })
  const { port } = await door.listen(options.port ?? 0, '127.0.0.1')
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    async close() {
      await door.close()
      await server.close()
      rmSync(runDir, { recursive: true })
    },
  }
}

export type Language = 'en' | 'fr'
export type Seat = { context: BrowserContext; page: Page; errors: string[] }

/** Whatever asks for a name of elsewhere fails, as on a host without a network. */
const ARGS = ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.ENCLUME_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ARGS })

/** A reader with a browser of that language. What the browser complains of is kept; so is what a page asks of elsewhere than this machine. */
export async function openSeat(browser: Browser, { language, dark = false }: { language: Language; dark?: boolean }): Promise<Seat> {
  const context = await browser.newContext({
    locale: language === 'fr' ? 'fr-FR' : 'en-US', colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce',
    viewport: { width: 1440, height: 1000 }, acceptDownloads: true,
  })
  const page = await context.newPage()
  watch(page)
  const errors: string[] = []
  context.on('request', request => {
    const { protocol, hostname } = new URL(request.url())
    if (!['data:', 'blob:'].includes(protocol) && hostname !== '127.0.0.1') errors.push(`asked of elsewhere: ${request.url()}`)
  })
  page.on('pageerror', error => errors.push(String(error)))
  page.on('console', message => {
    if (message.type() === 'error') errors.push(message.text())
  })
  return { context, page, errors }
}

const words = { en: { password: 'Password', submit: 'Sign in' }, fr: { password: 'Mot de passe', submit: 'Se connecter' } }

type SignIn = { url: string; language: Language; password?: string }

export async function signIn(page: Page, { url, language, password = PASSWORD }: SignIn): Promise<void> {
  await page.goto(url)
  await page.getByLabel(words[language].password).fill(password)
  await page.getByRole('button', { name: words[language].submit }).click()
  await page.getByRole('navigation', { name: 'Navigation' }).first().waitFor()
}

/** Pictures of the whole page: of what is below the window's edge there are more. The window stays as it is, since a resize changes the page. */
export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  const windows = await page.evaluate('Math.ceil(document.documentElement.scrollHeight / innerHeight)') as number
  for (let i = 0; i < windows; i++) {
    if (windows > 1) await page.evaluate(`scrollTo(0, ${i} * innerHeight * 0.9)`)
    await page.screenshot({ path: join(SHOTS, `${name}${i > 0 ? `-below-${i}` : ''}.png`) })
  }
  if (windows > 1) await page.evaluate('scrollTo(0, 0)')
}

/** Something loads; a state of a thing that lasts (a pending instance) is none. */
const BUSY = '[aria-busy="true"], [class*="awsui_loading"], [class*="awsui_circle-left"]:not([class*="awsui_status-loading"] *)'
const asked = new WeakMap<Page, Set<Request>>()

/** What is under way in a page, but the live stream that never ends. */
function watch(page: Page): void {
  const open = new Set<Request>()
  asked.set(page, open)
  page.on('request', request => !request.url().includes('/_console/events') && open.add(request))
  page.on('requestfinished', request => open.delete(request))
  page.on('requestfailed', request => open.delete(request))
}

/** Waits until nothing loads: no request under way and no sign of one in the page, over two frames. */
export async function settle(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  const until = Date.now() + 15_000
  const isQuiet = async () => asked.get(page)!.size === 0 && await page.locator(BUSY).count() === 0
  for (let quiet = 0; quiet < 2; quiet = await isQuiet() ? quiet + 1 : 0) {
    if (Date.now() > until) throw new Error(`still loads: ${page.url()} ${[...asked.get(page)!].map(request => request.url()).join(' ')}`)
    await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))')
  }
}

/** Goes to a page as a link in the console does, and waits for it. */
export async function visit(page: Page, place: string): Promise<void> {
  await page.evaluate(`history.pushState(null, '', ${JSON.stringify(place)}); dispatchEvent(new PopStateEvent('popstate'))`)
  await settle(page)
}
