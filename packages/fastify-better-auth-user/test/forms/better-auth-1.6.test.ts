import { runForms } from './run-forms.ts'

runForms('1.6')
