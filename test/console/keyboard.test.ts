/** A whole visit without a mouse: sign in, launch, look in by a terminal and leave it again, stop, terminate. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import type { Browser, Locator, Page } from 'playwright-core'
import { openFake } from '#engine/fake'
import { violations } from './axe.ts'
import { openBrowser, openSeat, openWorld, PASSWORD, settle, type World } from './kit.ts'

let browser: Browser
let world: World
let page: Page
before(async () => {
  const fake = openFake()
  // In place of the guest's console a program of this host: what is tried is the keyboard's way into a terminal and out of it.
  const terminal = async () => ({ file: '/bin/sh', args: ['-c', 'echo ready; while read line; do echo "<$line>"; done'], env: {} })
  browser = await openBrowser()
  world = await openWorld({ engine: { ...fake, machines: { ...fake.machines, terminal } } })
  await world.server.ec2().send(new sdk.EnableSerialConsoleAccessCommand({}))
  page = (await openSeat(browser, { language: 'en' })).page
})
after(async () => {
  await browser.close()
  await world.close()
})

const MOST_KEYS = 150
const press = (...keys: string[]): Promise<void> => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve())
const hasFocus = (target: Locator): Promise<boolean> => target.evaluate(element => element.matches(':focus'))

/** Presses a key until what is looked for has the focus. */
async function reach(target: Locator, key = 'Tab'): Promise<void> {
  await target.first().waitFor()
  for (let i = 0; i < MOST_KEYS; i++) {
    if (await hasFocus(target.first())) return
    await page.keyboard.press(key)
  }
  throw new Error(`the keyboard does not reach ${target}; it is at ${await page.evaluate('document.activeElement.outerHTML.slice(0, 300)')}`)
}
const button = (name: string | RegExp): Locator => page.getByRole('button', { name, exact: true })
const within = (name: string): Locator => page.getByRole('dialog').getByRole('button', { name, exact: true })
async function follow(name: string): Promise<void> {
  await reach(page.getByRole('navigation', { name: 'Navigation' }).getByRole('link', { name, exact: true }))
  await press('Enter')
  await settle(page)
}

/** Opens the menu of states, by a way back from the table, and takes an entry. */
async function choose(entry: string): Promise<void> {
  await reach(page.locator('button[aria-haspopup]').filter({ hasText: 'Instance state' }), 'Shift+Tab')
  await press('Enter')
  await reach(page.getByRole('menuitem', { name: entry }), 'ArrowDown')
  await press('Enter')
}

test('one signs in, past a wrong password that is said to be wrong', async () => {
  await page.goto(world.url)
  await reach(page.getByLabel('Password'))
  await page.keyboard.type('wrong')
  await press('Enter')
  await page.getByText(/incorrect|not right|refused|wrong/i).first().waitFor()
  await reach(page.getByLabel('Password'), 'Shift+Tab')
  await press('Control+A')
  await page.keyboard.type(PASSWORD)
  await press('Enter')
  await page.getByRole('navigation', { name: 'Navigation' }).first().waitFor()
})

test('the first stop of each page leads past the menu', async () => {
  await page.reload()
  await settle(page)
  await press('Tab')
  assert.ok(await hasFocus(page.getByRole('link', { name: 'Skip to main content' })))
  await press('Enter')
  assert.ok(await hasFocus(page.locator('main')))
})

test('one fills the launch page, makes a key pair in place and launches', async () => {
  await page.reload()
  await settle(page)
  await follow('Instances')
  assert.ok(await hasFocus(page.locator('main')), 'the focus goes with the page')
  await reach(button('Launch instances'))
  await press('Enter')
  await settle(page)
  await reach(page.getByLabel('Name', { exact: true }).first())
  await page.keyboard.type('by-keyboard')
  await reach(button('Create new key pair'))
  await press('Enter')
  await reach(page.getByRole('dialog').getByLabel('Key pair name'))
  await page.keyboard.type('mine')
  await reach(within('Create key pair'))
  await Promise.all([page.waitForEvent('download'), press('Enter')])
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await reach(page.getByRole('checkbox', { name: 'Allow HTTP traffic from the internet' }))
  await press('Space')
  await reach(button('Web page (httpd, port 80)'))
  await press('Enter')
  await reach(button('Launch instance'))
  await press('Enter')
  await page.getByText(/Successfully initiated launch/).first().waitFor()
})

test('a row is chosen, its instance is looked into by a terminal, and the terminal is left', async () => {
  await follow('Instances')
  await page.getByRole('row').filter({ hasText: 'Running' }).waitFor()
  await chooseRow()
  await reach(button('Connect'), 'Shift+Tab')
  await press('Enter')
  await settle(page)
  await reach(page.getByRole('tab', { name: 'EC2 Instance Connect' }))
  await press('ArrowRight', 'ArrowRight', 'ArrowRight')
  if (!await hasFocus(page.getByRole('tab', { name: 'EC2 serial console' }))) throw new Error('the arrows do not move between tabs')
  await press('Enter')
  await reach(page.getByRole('tabpanel').getByRole('button', { name: 'Connect', exact: true }))
  await press('Enter')
  const screen = page.locator('.xterm-rows')
  await screen.getByText('ready').waitFor()
  await page.keyboard.type('hello')
  await press('Enter')
  await screen.getByText('<hello>').waitFor()
  assert.deepEqual(await violations(page), [])
  await press('Tab')
  assert.ok(await page.evaluate("document.activeElement.closest('.xterm') !== null"), "Tab is the guest's")
  await press('Control+Shift+ArrowUp')
  assert.ok(await hasFocus(button('Disconnect')))
  await press('Enter')
  await page.locator('.xterm').waitFor({ state: 'detached' })
})

/** The first row's checkbox, from the head of the table downwards. */
async function chooseRow(): Promise<void> {
  await reach(page.getByRole('checkbox', { name: 'Select all' }))
  await press('ArrowDown', 'Space')
  await page.getByText('(1/1)').waitFor()
}

test('it is stopped, and terminated after the word was typed', async () => {
  await follow('Instances')
  const row = page.getByRole('row').filter({ hasText: 'by-keyboard' })
  await chooseRow()
  await choose('Stop instance')
  await reach(within('Stop instance'))
  await press('Enter')
  await row.getByText('Stopped').waitFor()
  await choose('Terminate (delete) instance')
  await reach(page.getByPlaceholder('delete'))
  await page.keyboard.type('delete')
  await reach(within('Terminate (delete) instance'))
  await press('Enter')
  await row.getByText('Terminated').waitFor()
})

test('the menu at a row opens and closes by its keys', async () => {
  await press('Escape')
  await reach(page.getByRole('checkbox', { name: /^Select i-/ }), 'Tab')
  await press('ContextMenu')
  const menu = page.getByRole('menu', { name: 'Actions' })
  await menu.waitFor()
  await press('ArrowDown')
  assert.ok(await page.evaluate("document.activeElement.closest('[role=menu]') !== null"))
  await press('Escape')
  await menu.waitFor({ state: 'detached' })
})
