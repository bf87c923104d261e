"""Words of chest radiology that a list of general English lacks, and the forms its compounds begin
with."""

from __future__ import annotations

COMBINING_FORMS: tuple[str, ...] = (
    "antero", "aorto", "broncho", "brachio", "cardio", "cervico", "costo", "dextro", "endo", "epi",
    "esophago", "extra", "fibro", "gastro", "hemi", "hepato", "histo", "hydro", "hyper", "hypo",
    "infero", "infra", "inter", "intra", "juxta", "latero", "levo", "lumbo", "lymph", "micro",
    "mid", "multi", "myo", "non", "osteo", "over", "para", "patello", "peri", "pleuro", "pneumo",
    "post", "postero", "pre", "pseudo", "reticulo", "retro", "semi", "spleno", "sterno", "sub",
    "super", "supero", "supra", "thoraco", "tracheo", "trans", "tri", "under", "uni", "vertebro",
)  # fmt: skip

_WORDS = """
acromioclavicular adenopathy aeration alveolar anterolisthesis aortopulmonary apical apices
arthroplasty artifactually aspergilloma atelectases atelectasis atelectatic azygos bandlike
basilar biapical bibasilar bihilar blebs bochdalek bronchiectasis bronchiectatic bronchiolitis
bronchogram bronchograms bulla bullae bullous calcaneal calcific calcifications cardia
cardiomegaly cardiomyopathy cardiophrenic carina carinal carinatum catheters caudal caval cavitary
cavitation cavitations cephalad cephalization cerclage cholelithiasis chondral clavicle clavicles
clavicular collimation coracoclavicular corticated costochondral costophrenic cranially decubitus
degenerative dextrocardia dextroscoliosis diaphragms distally dobbhoff echogenic ectasia ectatic
effacement effusions embolization emphysema emphysematous endplate endplates enteric enthesopathy
enthesophyte epicardial epigastric erosions eventration excavatum exostosis extubation fibroid
fibrosis fibrotic fissural fluoroscopic foramen fossa fossae gastroesophageal glenohumeral
granuloma granulomas granulomata granulomatous habitus hemidiaphragm hemidiaphragms hemithorax
hemothorax hepatomegaly hernia hiatal hila hilar hilum hindfoot histoplasmoma histoplasmosis
humeral hydropneumothorax hyperaerated hyperaeration hyperdense hyperexpanded hyperexpansion
hyperinflated hyperinflation hyperkyphosis hyperlucency hyperlucent hypoaeration hypoinflated
hypoinflation hypoventilation hypoventilatory ileus indeterminate infectious inferiorly infiltrate
infiltrates infiltrative inhalational interlobar interstitial interstitium interval intrathecal
kerley kyphosis kyphotic levoscoliosis lingula lingular lobar lobectomy lobulated lobulation
loculated loculation loculations lordotic lucencies lucency lucent lumpectomy lymphadenopathy
lymphangitic malleoli malpositioned margination masslike mastectomy mediastinum mediport
metastases metastasis metastatic midclavicular midline mitral morgagni multifocal multilobar
mycoplasma nasogastric nephrostomy neurostimulator nodular nodularity obscuration occluder
oligemia opacification opacifications opacified opacities opacity organomegaly orogastric osseous
ossification ossifications osteochondroma osteodystrophy osteopenia osteopenic osteophyte
osteophytes osteophytic osteophytosis osteoporotic pacer pannus paramediastinal paraspinal
paratracheal parenchyma parenchymal patchy pectus peribronchial perihilar peripherally phleboliths
picc piriform platelike pleura pleural pleuritis pneumatocele pneumatoceles pneumomediastinum
pneumonectomy pneumonia pneumonitis pneumoperitoneum pneumothoraces pneumothorax portacath
portacatheter posteriorly posteroanterior posterobasal posterolateral postinflammatory postop
postoperative postsurgical posttraumatic prevertebral projectional pulmonary radiodense radiograph
radiographic radiographically radiographs radiolucent radiopaque redemonstrated redistribution
reformats resection reticulation reticulonodular retrocardiac retrolisthesis retrosternal
revascularization sarcoidosis scapula scapulae scapular sclerosis sclerotic scoliosis septal
shrapnel silhouette silhouetting skinfold skinfolds spiculated spinous splenomegaly spondylitic
spondylolisthesis spondylosis stents sternal sternoclavicular sternotomy stranding strandy
streakiness streaky subcapital subcarinal subcentimeter subchondral subcutaneous subglottic
subluxation subpulmonic subsegmental sulcal sulci sulcus supraclavicular syndesmophyte
syndesmophytes tenting thoracentesis thoracic thoracolumbar thoracoplasty thoracostomy thoracotomy
thymic tortuosity tortuous trabecular trachea tracheal tracheostomy transection transhepatic
tricompartmental tuberculosis tuberculous unfolded unremarkable ureteral valvuloplasty vasculature
vertebrae vertebral vertebroplasty volumes xray xrays
"""
RADIOLOGY_WORDS = frozenset(_WORDS.split())
