/**
 * A choice of one, or of some, out of what there is.
 *
 * Invariant: once the list is there, nothing is chosen that is not in it: what another choice rules out goes.
 */
import { Multiselect, Select } from '@cloudscape-design/components'
import { useEffect } from 'react'
import { listAll } from '../api/call'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import type { Around, Choice, Field, Item } from '../resources/kinds'
import { wordText } from './State'

type Props = {
  field: Field
  value: string | string[]
  around: Around
  onChange(value: string | string[]): void
  /** Told which of a listing it is. */
  onChosen(item: Item | undefined): void
}
const MANY = 8
const labelled = ({ value, label }: Choice) => ({ value, label: label ?? wordText(value) })

export function Chooser({ field, value, around, onChange, onChosen }: Props) {
  const { from } = field
  const listed = from && (from.load ?? (() => listAll(from.service ?? 'ec2', from.operation, from.member, from.input)))
  const list = useLoaded<Item[]>(listed, [], field.name)
  const rows = from ? (from.rows?.(list.data ?? []) ?? list.data ?? []).filter(row => from.keep?.(row, around) ?? true) : []
  const found: readonly Choice[] = from
    ? rows.map(row => ({ value: from.value(row), label: from.label?.(row) ?? from.value(row) }))
    : (around.of && field.own?.(around.of)) ?? (field.options ?? []).map(one => ({ value: one, label: field.named?.(one) }))
  const options = found.map(labelled)
  const there = !from || list.data !== undefined
  const known = (one: string): boolean => options.some(option => option.value === one)
  const shown = {
    placeholder: t('table.choose'),
    empty: t('table.noChoice'),
    filteringType: options.length > MANY ? ('auto' as const) : ('none' as const),
    statusType: list.error ? ('error' as const) : there ? ('finished' as const) : ('loading' as const),
    errorText: list.error,
    loadingText: t('table.loading'),
  }
  if (field.optional && field.kind === 'select') options.unshift({ value: '', label: t('value.none') })
  // One must be chosen: the first stands there already.
  const fallback = field.kind === 'many' ? (value as string[]).filter(known) : (options[0]?.value ?? '')
  const lost = there && (field.kind === 'many' ? fallback.length !== value.length : fallback !== value && !known(value as string))
  useEffect(() => {
    if (lost) onChange(fallback)
  }, [lost, String(fallback)])
  const row = from && rows.find(one => from.value(one) === value)
  useEffect(() => onChosen(row), [row])
  if (field.kind === 'many') {
    return (
      <Multiselect
        {...shown}
        selectedOptions={options.filter(option => value.includes(option.value))}
        options={options}
        onChange={({ detail }) => onChange(detail.selectedOptions.map(option => option.value!))}
      />
    )
  }
  return (
    <Select
      {...shown}
      selectedOption={options.find(option => option.value === value) ?? null}
      options={options}
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
    />
  )
}
