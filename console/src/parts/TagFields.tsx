/** Tags before they are given: of an instance, or of what a template makes. */
import { TagEditor } from '@cloudscape-design/components'

type Tag = { key: string; value: string }
/** One of the fifty is the name, which has a field of its own. */
const MOST = 49

export const TagFields = ({ tags, onChange }: { tags: readonly Tag[]; onChange(tags: Tag[]): void }) => (
  <TagEditor
    tags={tags.map(tag => ({ ...tag, existing: false }))}
    tagLimit={MOST}
    onChange={({ detail }) => onChange(detail.tags.map(({ key, value }) => ({ key, value })))}
  />
)
