/** For the tests of one file: a seeded world and a browser in front of it, there before the first of them and until after the last. */
import { after } from 'node:test'
import { openSeeded } from './seed.ts'

// Awaited by who imports it: hooks of several modules would run side by side.
export const { browser, world, made, page } = await openSeeded()
after(async () => {
  await browser.close()
  await world.close()
})
