/** What a listing is: data alone. The shared pages draw it. */
import type { ReactNode } from 'react'
import type { Input, Service } from '../api/call'
import type { Preview } from '../api/preview'
import type { Key } from '../i18n/text'

export type Item = any
export type Value = string | number | boolean | Date | undefined
export type Column = {
  id: string
  label: Key
  value(item: Item): Value
  /** 'word': one of the API's fixed words, of which there may be a message. */
  kind?: 'state' | 'date' | 'gib' | 'bytes' | 'usd' | 'word'
  /** What is said of a state, where that is more than its word. */
  said?(item: Item): string
  /** In pixels, where its kind's is not enough. */
  width?: number
  /** The listing that the value is an id in. */
  link?: string
  /** Where the value leads, if anywhere. */
  href?(item: Item): string | undefined
  /** Not shown unless chosen. */
  hidden?: boolean
}
export type Choice = { value: string; label?: string }
/** What a choice may depend on: the thing that the form is about, and what is said beside it, and chosen, as listings tell of it. */
export type Around = { of?: Item; chosen: Record<string, Item | undefined>; values: Values }
export type Field = {
  name: string
  label: Key
  hint?: Key
  /** 'many': some of the choices, as a list. 'file': a text that may come out of a file. 'moment': a day and a time of it, in UTC. */
  kind?: 'text' | 'secret' | 'number' | 'select' | 'many' | 'bool' | 'area' | 'file' | 'json' | 'moment'
  /** Choices: fixed values, those of the thing itself, or a listing that they come from. */
  options?: readonly string[]
  /** What people call a fixed value, where its word alone does not say it. */
  named?(value: string): string
  own?(of: Item): readonly Choice[]
  from?: {
    operation: string
    member: string
    value(item: Item): string
    label?(item: Item): string
    service?: Service
    input?: Input
    /** In place of one listing operation. */
    load?(): Promise<Item[]>
    keep?(item: Item, around: Around): boolean
    rows?(items: Item[]): Item[]
  }
  optional?: boolean
  value?: string | boolean
  when?(values: Values): boolean
  /** What is wrong with what was typed, before the API is asked. */
  wrong?(value: any): Key | undefined
  /** What else stands in the form once that is chosen: how the part of the thing that it names is now. */
  sets?(value: string, of: Item): Values
}
export type Values = Record<string, any>
/** One call, or as many as what was changed takes: maybe none. */
type Asks =
  | { operation: string; input(values: Values, item?: Item): Input; calls?: undefined }
  | { calls(values: Values, item: Item): Call[]; operation?: undefined; input?: undefined }
export type Call = { operation: string; input: Input }
export type Form = Asks & {
  fields: readonly Field[]
  /** What stands in the fields before anything is typed, where that is not the same for all things. */
  start?(item: Item): Values | Promise<Values>
  done?(answer: any, values: Values): void
  id?(answer: any): string
  /** What went wrong, where an answer says so in place of an error. */
  problem?(answer: any): string | undefined
}
/** The calls that a form is about to make. */
export const callsOfForm = (service: Service, form: Form, values: Values, item?: Item): Preview[] =>
  (form.calls ? form.calls(values, item) : [{ operation: form.operation, input: form.input(values, item) }]).map(one => ({ service, ...one }))

export type Action = {
  id: string
  label: Key
  /** Absent for links. */
  operation?: string
  /** One call for all where there is `all`, else one call for each. */
  all?(items: Item[]): Input
  each?(item: Item): Input
  /** In place of both: calls of which each is what it must be. */
  calls?(items: Item[]): Call[]
  href?(item: Item): string
  form?: Form
  /** What is no call, such as keeping a file. */
  run?(items: Item[]): Promise<void>
  /** Something to look at. */
  dialog?(items: Item[], onClose: () => void): ReactNode
  /** Beside the menu of actions: a button of its own, or an entry of the menu of states. */
  place?: 'button' | 'state'
  /** How many it takes at least. */
  least?: number
  enabled?(item: Item): boolean
  /** What must hold of all that is listed, once it is. */
  where?(all: readonly Item[]): boolean
  /** 'typed' where data dies. */
  confirm?: 'plain' | 'typed'
  one?: boolean
}
export type Tag = { Key: string; Value: string }
/** What was edited: the keys that go, what is new or has another value, and what there is then. */
export type TagEdits = { gone: string[]; set: Tag[]; all: Tag[] }
export type Tagging = { load(item: Item): Promise<Tag[]>; calls(item: Item, edits: TagEdits): Call[]; editable?(item: Item): boolean }
export type Tab = { id: string; label: Key; content(item: Item): ReactNode }
export type Resource = {
  path: string
  service: Service
  title: Key
  /** In place of the title: what things are in. */
  heading?: string
  /** 'No volumes', and what they are for. */
  empty: readonly [Key, Key]
  operation: string
  member: string
  input?: Input
  /** Makes plain rows of an answer's list. */
  rows?(items: Item[]): Item[]
  /** In place of one listing operation. Of several, some may be refused: `onLack` is told what is not among what is answered. */
  load?(onPart: (items: Item[]) => void, onLack: (words: string) => void): Promise<Item[]>
  /** What else is to be said of each, by its id: asked once the things themselves are there. */
  also?(): Promise<Map<string, Item>>
  id(item: Item): string
  /** What people call it, where that is not its tag `Name`. */
  name?(item: Item): string
  /** Where its id leads; undefined where there is no page. */
  href?(item: Item): string | undefined
  /** Kinds of records whose change changes this list. */
  kinds: readonly string[]
  columns: readonly Column[]
  actions?: readonly Action[]
  /** A page of its own, or the form of a page. */
  create?: { label: Key; href?: string; form?: Form }
  tabs?: readonly Tab[]
  /** The column that it begins sorted by, the newest first, where that is not the first column. */
  sorted?: string
  /** What is shown to begin with, until the reader takes that away. */
  filter?: { column: Column; value: Key }
  /** What CreateTags names, by its word in TagSpecifications. */
  tagged?: string
  /** How it is tagged, where that is not by CreateTags. */
  tagging?: Tagging
  /** Beside the actions, such as a button that takes files. */
  extra?: ReactNode
  /** Above the table, such as the way up. */
  above?: ReactNode
}

export const nameOf = (item: Item): string => item.Tags?.find((tag: Item) => tag.Key === 'Name')?.Value ?? ''
export const column = (name: string, label: Key, more: Partial<Column> = {}): Column => ({
  id: name,
  label,
  value: item => name.split('.').reduce((at, part) => at?.[part], item),
  ...more,
})
export const nameColumn: Column = { id: 'Name', label: 'f.Name', value: nameOf }
export const stateColumn = column('State', 'f.state', { kind: 'state' })
export const vpcColumn = column('VpcId', 'f.VpcId', { link: '/vpc/vpcs' })
export const subnetColumn = column('SubnetId', 'f.SubnetId', { link: '/vpc/subnets' })

/** What has a tag `Name` may be given it as it is made. */
export const withNames = (resources: readonly Resource[]): Resource[] =>
  resources.map(resource => {
    const form = resource.create?.form
    if (!form || !resource.tagged || resource.columns[0] !== nameColumn) return resource
    const name: Field = { name: 'nameTag', label: 'f.nameTag', optional: true }
    const tags = ({ nameTag: Value }: Values): Input => ({
      TagSpecifications: Value ? [{ ResourceType: resource.tagged, Tags: [{ Key: 'Name', Value }] }] : undefined,
    })
    const asks: Asks = form.calls
      ? { calls: (values, item) => form.calls(values, item).map(one => ({ ...one, input: { ...one.input, ...tags(values) } })) }
      : { operation: form.operation, input: (values, item) => ({ ...form.input(values, item), ...tags(values) }) }
    return { ...resource, create: { ...resource.create!, form: { ...form, ...asks, fields: [name, ...form.fields] } as Form } }
  })
