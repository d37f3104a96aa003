/** Light or dark: as the browser says, or as chosen here. */
import { applyMode, Mode } from '@cloudscape-design/global-styles'

export type Theme = 'system' | 'light' | 'dark'
const KEPT = 'enclume-theme'
const query = matchMedia('(prefers-color-scheme: dark)')

export const currentTheme = (): Theme => (localStorage.getItem(KEPT) as Theme | null) ?? 'system'
export const isDark = (): boolean => (currentTheme() === 'system' ? query.matches : currentTheme() === 'dark')
const apply = (): void => applyMode(isDark() ? Mode.Dark : Mode.Light)

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEPT, theme)
  apply()
}
export function startTheme(): void {
  query.addEventListener('change', apply)
  apply()
}
