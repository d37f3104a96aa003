/** The tables that people live in fit a window of 1440 pixels, in both languages: nothing scrolls sideways, and no id, heading or state is cut. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import type { Browser } from 'playwright-core'
import { openBrowser, openSeat, openWorld, settle, shot, signIn, visit, type World } from './kit.ts'
import { seed } from './seed.ts'

const TABLES = [
  '/ec2/instances', '/ec2/volumes', '/ec2/snapshots', '/ec2/images', '/ec2/security-groups', '/vpc/vpcs', '/vpc/subnets', '/ec2/network-interfaces',
  '/ec2/addresses',
]
let world: World
let browser: Browser
before(async () => {
  world = await openWorld()
  browser = await openBrowser()
  const { instance } = await seed(world)
  const api = world.server.ec2()
  const { Addresses } = await api.send(new ec2.DescribeAddressesCommand({}))
  await api.send(new ec2.AssociateAddressCommand({ AllocationId: Addresses![0]!.AllocationId, InstanceId: instance }))
})
after(async () => {
  await browser.close()
  await world.close()
})

/** How much wider a table is than its place, and the cells whose text is wider than theirs. */
const LOOK = `(() => {
  const table = [...document.querySelectorAll('table')].find(one => one.querySelector('tbody td'))
  const place = table.parentElement
  const text = cell => cell.innerText.trim()
  const isWide = cell => [cell, ...cell.querySelectorAll('*')].some(one =>
    one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow !== 'visible' && one.clientWidth > 0)
  return {
    over: place.scrollWidth - place.clientWidth, room: place.clientWidth,
    cut: [...table.querySelectorAll('thead th, tbody td, tbody th')].filter(isWide).map(text).filter(one => one !== ''),
    shown: [...table.querySelectorAll('thead th')].map(one => text(one) + ' ' + one.offsetWidth),
  }
})()`
type Look = { over: number; room: number; cut: string[]; shown: string[] }

for (const [language, checks] of [['en', '3/3 checks passed'], ['fr', '3/3 vérifications réussies']] as const) {
  test(`they fit in ${language}`, async t => {
    const { context, page } = await openSeat(browser, { language })
    await signIn(page, { url: world.url, language })
    const wrong: string[] = []
    for (const place of TABLES) {
      await visit(page, place)
      if (place === '/ec2/instances') await page.getByText(checks).first().waitFor()
      await settle(page)
      await shot(page, `${language}-fits-${place.split('/').pop()}`)
      const { over, room, cut, shown } = await page.evaluate(LOOK) as Look
      t.diagnostic(`${place}, ${room}: ${shown.join(' | ')}`)
      if (over > 0) wrong.push(`${place} is ${over} wider than ${room}`)
      // What people name and write themselves may be longer than any column.
      wrong.push(...cut.filter(text => !text.includes('<img') && !FREE.test(text)).map(text => `${place}: ${text} is cut`))
    }
    assert.deepEqual(wrong, [])
    await context.close()
  })
}
const FREE = /^(Fake engine|Before the update|Debian|default VPC|Web servers|launch-wizard)/
