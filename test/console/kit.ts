/** The console's door over the fake engine, and a real Chromium in front of it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
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

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.ENCLUME_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })

/** A reader with a browser of that language. What the browser complains of is kept. */
export async function openSeat(browser: Browser, { language, dark = false }: { language: Language; dark?: boolean }): Promise<Seat> {
  const context = await browser.newContext({
    locale: language === 'fr' ? 'fr-FR' : 'en-US', colorScheme: dark ? 'dark' : 'light',
    viewport: { width: 1440, height: 1000 }, acceptDownloads: true,
  })
  const page = await context.newPage()
  const errors: string[] = []
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

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`) })
}
