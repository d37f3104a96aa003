/** The console's entry. */
import '@cloudscape-design/global-styles/index.css'
import './shell/console.css'
import { createRoot } from 'react-dom/client'
import { App } from './shell/App'
import { startTheme } from './shell/theme'

startTheme()
createRoot(document.getElementById('root')!).render(<App />)
