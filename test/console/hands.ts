/** What hands do in a page with the forms of things: take an action, choose, press. */
import type { Locator, Page } from 'playwright-core'

export type Hands = {
  /** Takes an action of the page; its dialog. */
  act(name: string): Promise<Locator>
  /** Presses the dialog's button of that name, and waits until it is closed. */
  submit(name: string): Promise<void>
  choose(field: RegExp, option: RegExp | string): Promise<void>
}

/** `of`: the page, which is opened after the test's hands are made. */
export const handsOf = (of: () => Page): Hands => ({
  async act(name) {
    await of().getByRole('button', { name: 'Actions' }).click()
    await of().getByRole('menuitem', { name, exact: true }).click()
    return of().getByRole('dialog')
  },
  async submit(name) {
    await of().getByRole('dialog').getByRole('button', { name, exact: true }).click()
    await of().getByRole('dialog').waitFor({ state: 'detached' })
  },
  async choose(field, option) {
    await of().getByRole('button', { name: field }).click()
    await of().getByRole('option', { name: option }).first().click()
  },
})
