/** The whole: signed in or not, in one of the languages. */
import { I18nProvider, type I18nProviderProps } from '@cloudscape-design/components/i18n'
import { useEffect, useState } from 'react'
import { chooseRegion, currentRegion } from '../api/call'
import { onLiveEnd, startLive, stopLive } from '../api/live'
import { findSession, forgetCredentials, signOut, type Facts } from '../api/session'
import { chooseLanguage, currentLanguage, type Language } from '../i18n/text'
import { Console } from './Console'
import { setFacts } from './facts'
import { SignIn } from './SignIn'

type Words = I18nProviderProps['messages'][number]
const words: Record<Language, () => Promise<Words>> = {
  en: () => import('@cloudscape-design/components/i18n/messages/all.en').then(module => module.default),
  fr: () => import('@cloudscape-design/components/i18n/messages/all.fr').then(module => withTags(module.default)),
}
/** The library's French has another word for tags than the AWS console, and so than this one. */
function withTags(all: Words): Words {
  const said = JSON.stringify(all, (name, value: unknown) =>
    name === 'tag-editor'
      ? (JSON.parse(JSON.stringify(value).replaceAll("d'identification", 'de balise').replaceAll('identification', 'balise')) as unknown)
      : value,
  )
  return JSON.parse(said) as Words
}

export function App() {
  const [language, setLanguage] = useState(currentLanguage())
  const [loaded, setLoaded] = useState<{ language: Language; words: Words }>()
  const [session, setSession] = useState<Facts | 'none'>()
  const [ended, setEnded] = useState(false)

  const enter = (found: Facts): void => {
    setFacts(found)
    if (!currentRegion()) chooseRegion(found.region)
    setEnded(false)
    setSession(found)
    startLive()
  }
  const leave = (): void => {
    stopLive()
    forgetCredentials()
    setSession('none')
  }
  useEffect(() => {
    onLiveEnd(() => {
      setEnded(true)
      leave()
    })
    void findSession().then(
      found => (found ? enter(found) : setSession('none')),
      () => setSession('none'),
    )
  }, [])
  useEffect(() => {
    document.documentElement.lang = language
    void words[language]().then(found => setLoaded({ language, words: found }))
  }, [language])

  if (!session || !loaded) return null
  const choose = (chosen: Language): void => {
    chooseLanguage(chosen)
    setLanguage(chosen)
  }
  return (
    <I18nProvider key={loaded.language} locale={loaded.language} messages={[loaded.words]}>
      {session === 'none' ? (
        <SignIn ended={ended} onSignedIn={enter} language={language} onLanguage={choose} />
      ) : (
        <Console
          facts={session}
          language={language}
          onLanguage={choose}
          onSignOut={() => {
            void signOut().finally(leave)
          }}
        />
      )}
    </I18nProvider>
  )
}
