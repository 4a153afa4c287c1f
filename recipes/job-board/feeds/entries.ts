import type { Activity } from '../board/activity.ts'
import type { AboutOpening, Application, Recommendation } from '../board/candidates.ts'
import type { Opening } from '../board/openings.ts'
import { html, paragraphs } from '../web/html.ts'
import { feeds } from './catalogue.ts'
import type { Entry } from './document.ts'

export function openingEntry({ id, title, company, place, salary, description, ...opening }: Opening): Entry {
  return {
    id: `openings/${id}`,
    title: `${title}, ${place}`,
    path: `/openings/${id}`,
    author: company,
    published: opening.created_at,
    updated: opening.updated_at,
    content: html`<p><strong>${company}</strong>, ${place}${salary && html`, ${salary}`}</p>${paragraphs(description)}`,
  }
}

export function applicationEntry({ id, opening_id, title, name, ...application }: Application & AboutOpening): Entry {
  const { city, skills, letter, created_at } = application
  return {
    id: `applications/${id}`,
    title: `${name} applies for “${title}”`,
    path: `/company/openings/${opening_id}#application-${id}`,
    author: name,
    published: created_at,
    updated: created_at,
    content: html`<p>${name}, ${city}. Skills: ${skills}</p>${paragraphs(letter)}`,
  }
}

export function recommendationEntry(recommendation: Recommendation & AboutOpening): Entry {
  const { id, opening_id, title, agency, candidate, note, created_at } = recommendation
  return {
    id: `recommendations/${id}`,
    title: `${agency} recommends ${candidate} for “${title}”`,
    path: `/company/openings/${opening_id}#recommendation-${id}`,
    author: agency,
    published: created_at,
    updated: created_at,
    content: paragraphs(note),
  }
}

export function activityEntry({ id, at, actor, summary, path }: Activity): Entry {
  return {
    id: `activity/${id}`,
    title: `${actor} ${summary}`,
    path: path ?? feeds.activity.page,
    author: actor,
    published: at,
    updated: at,
    content: html`<p>${actor} ${summary}.</p>`,
  }
}
