/** "The command and the code for this": the way from a form to the API. */
import { Box, CopyToClipboard, ExpandableSection, SegmentedControl, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { currentRegion } from '../api/call'
import { cliOf, sdkOf, type Preview } from '../api/preview'
import { t } from '../i18n/text'
import { facts } from '../shell/facts'

export function Code({ calls }: { calls: Preview[] }) {
  const [kind, setKind] = useState('cli')
  const region = currentRegion()
  const elsewhere = region === facts().region ? undefined : region
  const text = kind === 'cli' ? calls.map(one => cliOf(one, elsewhere)).join('\n\n') : sdkOf(calls, region, facts().endpoint)
  return (
    <ExpandableSection headerText={t('code.title')}>
      <SpaceBetween size="s">
        <SegmentedControl
          label={t('code.title')}
          selectedId={kind}
          onChange={({ detail }) => setKind(detail.selectedId)}
          options={[
            { id: 'cli', text: t('code.cli') },
            { id: 'sdk', text: t('code.sdk') },
          ]}
        />
        <Box variant="code" display="block">
          <pre style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', margin: 0 }} tabIndex={0}>
            {text}
          </pre>
        </Box>
        <CopyToClipboard copyButtonText={t('do.copy')} textToCopy={text} copySuccessText={t('do.copied')} copyErrorText={t('do.copyFailed')} />
      </SpaceBetween>
    </ExpandableSection>
  )
}
