/**
 * The console's words in both languages.
 *
 * Invariant: a message is a pair, English and French, so that none can be without the other; a key that does not exist does not compile.
 */
import { common } from './common'
import { connect } from './connect'
import { fields } from './fields'
import { iam } from './iam'
import { instances } from './instances'
import { launch } from './launch'
import { menu } from './menu'
import { monitoring } from './monitoring'
import { network } from './network'
import { resources } from './resources'
import { settings } from './settings'
import { states } from './states'
import { storage } from './storage'
import { templates } from './templates'
import { transfers } from './transfers'

export type Language = 'en' | 'fr'
export type Pair = readonly [en: string, fr: string]
export const messages = {
  ...common,
  ...menu,
  ...states,
  ...fields,
  ...instances,
  ...launch,
  ...connect,
  ...network,
  ...monitoring,
  ...storage,
  ...templates,
  ...resources,
  ...iam,
  ...settings,
  ...transfers,
} as const satisfies Record<string, Pair>
export type Key = keyof typeof messages

const KEPT = 'enclume-language'
const own = (): Language => (navigator.languages.some(l => l.startsWith('fr')) && !navigator.language.startsWith('en') ? 'fr' : 'en')
let language: Language = (localStorage.getItem(KEPT) as Language | null) ?? own()

export const currentLanguage = (): Language => language
export function chooseLanguage(chosen: Language): void {
  language = chosen
  localStorage.setItem(KEPT, chosen)
}

/** In French such signs stand off, by a space at which no line breaks. */
const spaced = (text: string): string => text.replace(/ (?=[:;?!»])/g, '\u00a0').replace(/« /g, '«\u00a0')

/** A message, with `{name}` replaced by what is given. */
export const t = (key: Key, values: Record<string, string | number> = {}): string =>
  (language === 'fr' ? spaced(messages[key][1]) : messages[key][0]).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))

export const formatDate = (date: Date | string | undefined): string =>
  date === undefined ? '–' : new Date(date).toLocaleString(language === 'fr' ? 'fr-FR' : 'en-US', { dateStyle: 'medium', timeStyle: 'medium' })
/** The first of a month is an ordinal in French alone. */
export const formatDay = (day: string): string =>
  new Date(`${day}T12:00:00`).toLocaleDateString(language === 'fr' ? 'fr-FR' : 'en-US', { dateStyle: 'long' }).replace(/^1 (?=\p{L})/u, '1er ')
export const formatNumber = (value: number): string => value.toLocaleString(language === 'fr' ? 'fr-FR' : 'en-US', { maximumFractionDigits: 6 })
/** '0.0104 USD': as many digits as the price list has. */
export const usd = (price: number): string =>
  `${price.toLocaleString(language === 'fr' ? 'fr-FR' : 'en-US', { minimumFractionDigits: 2, maximumFractionDigits: 6 })} USD`

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const UNITS_FR = ['o', 'Kio', 'Mio', 'Gio', 'Tio']
/** 1,536 is '1.5 KiB'. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${formatNumber(Math.round((bytes / 1024 ** power) * 10) / 10)} ${(language === 'fr' ? UNITS_FR : UNITS)[power]}`
}
