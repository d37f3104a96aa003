/** Facts in columns: labels and values. */
import { Container, Header, KeyValuePairs } from '@cloudscape-design/components'
import { t, type Key } from '../i18n/text'
import type { Column, Item } from '../resources/kinds'
import { Cell } from './cells'

export function Facts({ title, columns, item }: { title: Key; columns: readonly Column[]; item: Item }) {
  return (
    <Container header={<Header variant="h2">{t(title)}</Header>}>
      <KeyValuePairs columns={3} items={columns.map(c => ({ label: t(c.label), value: <Cell column={c} item={item} /> }))} />
    </Container>
  )
}
