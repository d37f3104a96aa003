/** The shell around every page: top bar, menu, messages, and whether the server is there. */
import { AppLayout, BreadcrumbGroup, Flashbar, SideNavigation, TopNavigation, type FlashbarProps } from '@cloudscape-design/components'
import { Suspense, useEffect, useRef, useState } from 'react'
import { chooseRegion, currentRegion } from '../api/call'
import { onOnline } from '../api/live'
import type { Facts } from '../api/session'
import { useList } from '../api/use'
import { t, type Language } from '../i18n/text'
import { Fault } from './Fault'
import { dismiss, flash, useFlashes } from './flash'
import { menuItems } from './menu'
import { follow, usePath } from './router'
import { routeOf } from './routes'
import { chooseTheme, currentTheme, type Theme } from './theme'

type Props = { facts: Facts; language: Language; onLanguage(language: Language): void; onSignOut(): void }

const THEMES: Theme[] = ['system', 'light', 'dark']

export function Console({ facts, language, onLanguage, onSignOut }: Props) {
  const [region, setRegion] = useState(currentRegion())
  const [theme, setTheme] = useState(currentTheme())
  const regions = useList('ec2', 'DescribeRegions', 'Regions')
  const path = usePath()
  const route = routeOf(path)
  const [open, setOpen] = useState(window.innerWidth > 900)
  useEffect(() => {
    document.title = `${route.title} | Enclume`
  }, [route.title])
  const place = path.split('?')[0]!
  useFocusOf(place)
  const names = (regions.data ?? []).map(r => r.RegionName as string).sort()
  const known = names.includes(region) ? names : [region, ...names]
  const pick = (id: string): void => {
    if (id === 'sign-out') return onSignOut()
    const [what, value] = id.split(':') as [string, string]
    if (what === 'language') onLanguage(value as Language)
    if (what === 'region') {
      chooseRegion(value)
      setRegion(value)
    }
    if (what === 'theme') {
      chooseTheme(value as Theme)
      setTheme(value as Theme)
    }
  }
  const chosen = (on: boolean): { iconName?: 'check' } => (on ? { iconName: 'check' } : {})
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={event => {
          event.preventDefault()
          focusMain()
        }}
      >
        {t('app.skip')}
      </a>
      <div id="top">
        <TopNavigation
          i18nStrings={{ overflowMenuTriggerText: t('app.more'), overflowMenuTitleText: t('app.more') }}
          identity={{ href: '/', logo: { src: '/wordmark.svg', alt: 'Enclume' }, onFollow: follow as never }}
          utilities={[
            {
              type: 'menu-dropdown',
              text: region,
              // What is read out holds what is seen (WCAG 2.5.3).
              ariaLabel: `${t('app.region')}: ${region}`,
              title: t('app.region'),
              iconName: 'globe',
              onItemClick: ({ detail }) => pick(detail.id),
              items: known.map(name => ({ id: `region:${name}`, text: name, ...chosen(name === region) })),
            },
            {
              type: 'menu-dropdown',
              text: language === 'fr' ? 'Français' : 'English',
              ariaLabel: `${t('app.language')}: ${language === 'fr' ? 'Français' : 'English'}`,
              title: t('app.language'),
              onItemClick: ({ detail }) => pick(detail.id),
              items: [
                { id: 'language:en', text: 'English', ...chosen(language === 'en') },
                { id: 'language:fr', text: 'Français', ...chosen(language === 'fr') },
              ],
            },
            {
              type: 'menu-dropdown',
              iconName: 'settings',
              ariaLabel: t('app.theme'),
              title: t('app.theme'),
              onItemClick: ({ detail }) => pick(detail.id),
              items: THEMES.map(name => ({ id: `theme:${name}`, text: t(`app.${name}`), ...chosen(name === theme) })),
            },
            {
              type: 'menu-dropdown',
              text: facts.name,
              iconName: 'user-profile',
              ariaLabel: `${t('app.account')}: ${facts.name}`,
              title: facts.name,
              description: t('app.accountId', { id: facts.account }),
              onItemClick: ({ detail }) => pick(detail.id),
              items: [{ id: 'sign-out', text: t('app.signOut') }],
            },
          ]}
        />
      </div>
      <AppLayout
        key={region}
        headerSelector="#top"
        toolsHide
        contentType={route.contentType ?? 'default'}
        navigationOpen={open}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        ariaLabels={{
          navigation: t('app.navigation'),
          navigationToggle: t('app.openNavigation'),
          navigationClose: t('app.closeNavigation'),
          notifications: t('app.notifications'),
        }}
        navigation={
          <SideNavigation header={{ href: '/', text: 'EC2' }} activeHref={route.menu ?? place} items={menuItems()} onFollow={follow} />
        }
        breadcrumbs={route.crumbs && <BreadcrumbGroup ariaLabel={t('app.breadcrumbs')} items={route.crumbs} onFollow={follow} />}
        notifications={<Messages fake={facts.engine === 'fake'} />}
        content={
          <Fault key={place}>
            <Suspense fallback={null}>{route.page()}</Suspense>
          </Fault>
        }
      />
    </>
  )
}

function focusMain(): void {
  const main = document.querySelector('main')
  if (!main) return
  main.tabIndex = -1
  main.focus({ preventScroll: true })
}

/** Whoever goes to another page goes on from its content, not from a link that may be gone. */
function useFocusOf(place: string): void {
  const before = useRef(place)
  useEffect(() => {
    if (before.current === place) return
    before.current = place
    focusMain()
  }, [place])
}

function Messages({ fake }: { fake: boolean }) {
  const flashes = useFlashes()
  const [online, setOnline] = useState(true)
  const wasLost = useRef(false)
  useEffect(
    () =>
      onOnline(now => {
        setOnline(now)
        if (!now) wasLost.current = true
        if (now && wasLost.current) {
          wasLost.current = false
          flash({ id: 'server', type: 'success', content: t('app.back') })
        }
      }),
    [],
  )
  const items: FlashbarProps.MessageDefinition[] = flashes.map(item => ({
    ...item,
    dismissible: true,
    dismissLabel: t('app.dismiss'),
    onDismiss: () => dismiss(item.id),
  }))
  if (!online) items.unshift({ id: 'lost', type: 'error', header: t('app.lost'), content: t('app.lostHint'), loading: true })
  if (fake) items.push({ id: 'fake', type: 'info', content: t('app.fake') })
  return <Flashbar items={items} stackItems={items.length > 3} />
}
