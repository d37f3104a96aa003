import { killTests } from './kill.ts'
import { networkStories } from './stories.ts'

killTests(networkStories)
