/** What axe finds in a page: WCAG 2.1, A and AA. Injected once for each document, since the console never loads another. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

type Found = { id: string; target: string }

/** The frame is the same around every page: looked at once. */
const FRAME = '{ exclude: [["#top"], ["nav"]] }'
export async function violations(page: Page, { framed = false, within }: { framed?: boolean; within?: string } = {}): Promise<Found[]> {
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axe.source)
  const only = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }
  const options = JSON.stringify({ runOnly: only, resultTypes: ['violations'], preload: false })
  const pick = '({ violations }) => violations.map(({ id, nodes }) => ({ id, target: nodes[0].target.join(" ") }))'
  return page.evaluate(`axe.run(${within ? JSON.stringify(within) : framed ? 'document' : FRAME}, ${options}).then(${pick})`)
}
