/** The fields of a form that is data. */
import { Checkbox, FormField, Input, Select, SpaceBetween, Textarea } from '@cloudscape-design/components'
import { useEffect } from 'react'
import { useList } from '../api/use'
import { wordText } from './State'
import { LazyEditor } from './LazyEditor'
import { t } from '../i18n/text'
import type { Field, Values } from '../resources/kinds'

export const startOf = (fields: readonly Field[]): Values =>
  Object.fromEntries(
    fields.map(f => [f.name, f.value ?? (f.kind === 'bool' ? false : f.kind === 'select' && f.options && !f.optional ? f.options[0]! : '')]),
  )
export const missingIn = (fields: readonly Field[], values: Values): string[] =>
  fields.filter(f => !f.optional && f.kind !== 'bool' && (f.when?.(values) ?? true) && String(values[f.name] ?? '').trim() === '').map(f => f.name)

type Props = {
  fields: readonly Field[]
  values: Values
  missing: readonly string[]
  /** Changes add up: lists that come at once each choose their first. */
  onChange(change: (before: Values) => Values): void
}

export function Fields({ fields, values, missing, onChange }: Props) {
  const shown = fields.filter(f => f.when?.(values) ?? true)
  const fieldOf = (field: Field) => {
    const set = (value: string | boolean): void => onChange(before => ({ ...before, [field.name]: value }))
    if (field.kind === 'bool') {
      return (
        <Checkbox
          key={field.name}
          checked={values[field.name] === true}
          onChange={({ detail }) => set(detail.checked)}
          description={field.hint && t(field.hint)}
        >
          {t(field.label)}
        </Checkbox>
      )
    }
    return (
      <FormField
        key={field.name}
        label={field.optional ? <Optional label={t(field.label)} /> : t(field.label)}
        description={field.hint && t(field.hint)}
        stretch={field.kind === 'json'}
        errorText={missing.includes(field.name) ? t('error.required') : undefined}
      >
        {field.kind === 'select' ? (
          <Chooser field={field} value={String(values[field.name] ?? '')} onChange={set} />
        ) : field.kind === 'json' ? (
          <LazyEditor value={String(values[field.name] ?? '')} language="json" label={t(field.label)} onChange={set} />
        ) : field.kind === 'area' ? (
          <Textarea value={String(values[field.name] ?? '')} rows={6} onChange={({ detail }) => set(detail.value)} />
        ) : (
          <Input
            value={String(values[field.name] ?? '')}
            type={field.kind === 'number' ? 'number' : 'text'}
            onChange={({ detail }) => set(detail.value)}
          />
        )}
      </FormField>
    )
  }
  return <SpaceBetween size="l">{shown.map(fieldOf)}</SpaceBetween>
}

const Optional = ({ label }: { label: string }) => (
  <>
    {label} <i>– {t('field.optional')}</i>
  </>
)

function Chooser({ field, value, onChange }: { field: Field; value: string; onChange(value: string): void }) {
  const { from } = field
  const list = useList(from?.service ?? 'ec2', from?.operation ?? '', from?.member ?? '', { off: !from, input: from?.input })
  const options = from
    ? (from.rows?.(list.data ?? []) ?? list.data ?? [])
        .filter(from.keep ?? (() => true))
        .map(item => ({ value: from.value(item), label: from.label?.(item) ?? from.value(item) }))
    : (field.options ?? []).map(option => ({ value: option, label: wordText(option) }))
  if (field.optional) options.unshift({ value: '', label: t('value.none') })
  // One must be chosen: the first stands there already.
  const first = from && !field.optional ? options[0]?.value : undefined
  useEffect(() => {
    if (value === '' && first !== undefined) onChange(first)
  }, [first])
  return (
    <Select
      selectedOption={options.find(o => o.value === value) ?? null}
      placeholder={t('table.choose')}
      empty={t('table.noChoice')}
      options={options}
      filteringType={options.length > 8 ? 'auto' : 'none'}
      statusType={list.error ? 'error' : from && list.loading && !list.data ? 'loading' : 'finished'}
      errorText={list.error}
      loadingText={t('table.loading')}
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
    />
  )
}
