/** Values as they are shown. Whatever was stored is shown as text. */
import { Link } from '@cloudscape-design/components'
import type { ReactNode } from 'react'
import { formatBytes, formatDate, formatNumber, t, usd } from '../i18n/text'
import type { Column, Item, Value } from '../resources/kinds'
import { addressOf } from '../shell/addresses'
import { follow } from '../shell/router'
import { State, stateText, wordText } from './State'

/** As one line of text, for filters and files: a number as it is, which a reader of tables sees in his language's form. */
export function textOf(column: Column, item: Item): string {
  const value: Value = column.value(item)
  if (value === undefined || value === null || value === '') return ''
  if (column.kind === 'state') return column.said?.(item) ?? stateText(String(value))
  if (column.kind === 'word') return wordText(String(value))
  if (column.kind === 'date' || value instanceof Date) return formatDate(value as Date)
  if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no')
  if (column.kind === 'gib') return `${formatNumber(Number(value))} ${t('unit.gib')}`
  if (column.kind === 'usd') return usd(Number(value))
  if (column.kind === 'bytes') return formatBytes(Number(value))
  return String(value)
}

export function Cell({ column, item }: { column: Column; item: Item }): ReactNode {
  const value = column.value(item)
  const text = textOf(column, item)
  if (text === '') return t('value.none')
  if (column.kind === 'state') return <State state={String(value)} text={text} />
  const href = column.href?.(item)
  if (href) return <ItemLink href={href} text={text} />
  if (column.link) return <ItemLink href={addressOf(column.link, text)} text={text} />
  return typeof value === 'number' && !column.kind ? formatNumber(value) : text
}

export function ItemLink({ href, text }: { href: string; text: string }) {
  return (
    <Link href={href} onFollow={follow}>
      {text}
    </Link>
  )
}
